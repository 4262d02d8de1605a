"""AWS services that write JSON: WAF, CloudTrail, Route 53 Resolver. Columns are named as the keys."""

from __future__ import annotations

from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.presets.entry import JsonForm, Preset
from pyspark_logs.records import DocumentRule

_TOKEN_RESPONSE = "struct<responseCode:int,solveTimestamp:bigint,failureReason:string>"  # noqa: S105
_ISSUER = "struct<type:string,principalId:string,arn:string,accountId:string,userName:string>"
_IDENTITY = (
    "struct<type:string,principalId:string,arn:string,accountId:string,accessKeyId:string,userName:string,"
    f"invokedBy:string,identityProvider:string,sessionContext:struct<sessionIssuer:{_ISSUER},"
    "attributes:struct<creationDate:string,mfaAuthenticated:string>,"
    "webIdFederationData:struct<federatedProvider:string,attributes:map<string,string>>,"
    "sourceIdentity:string,ec2RoleDelivery:string,assumedRoot:string>,"
    "onBehalfOf:struct<userId:string,identityStoreArn:string>,credentialId:string,"
    "inScopeOf:struct<sourceArn:string,sourceAccount:string,issuerType:string,credentialsIssuedTo:string>>"
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        "aws_waf",
        JsonForm(
            (
                JsonField("timestamp", "epoch(ms)"),
                JsonField("formatVersion", "int"),
                JsonField("webaclId"),
                JsonField("terminatingRuleId"),
                JsonField("terminatingRuleType"),
                JsonField("action"),
                JsonField("terminatingRuleMatchDetails", "json"),
                JsonField("httpSourceName"),
                JsonField("httpSourceId"),
                JsonField("ruleGroupList", "json"),
                JsonField("rateBasedRuleList", "json"),
                JsonField("nonTerminatingMatchingRules", "json"),
                JsonField("requestHeadersInserted", "array<struct<name:string,value:string>>"),
                JsonField("responseCodeSent", "int"),
                JsonField(
                    "httpRequest",
                    "struct<clientIp:string,country:string,headers:array<struct<name:string,value:string>>,uri:string,"
                    "args:string,httpVersion:string,httpMethod:string,requestId:string,fragment:string,scheme:string,"
                    "host:string>",
                ),
                JsonField("labels", "array<struct<name:string>>"),
                JsonField("captchaResponse", _TOKEN_RESPONSE),
                JsonField("challengeResponse", _TOKEN_RESPONSE),
                JsonField("ja3Fingerprint"),
                JsonField("ja4Fingerprint"),
                JsonField("requestBodySize", "bigint"),
                JsonField("requestBodySizeInspectedByWAF", "bigint"),
                JsonField("oversizeFields", "array<string>"),
                JsonField("clientAsn", "bigint"),
                JsonField("forwardedAsn", "bigint"),
                JsonField("cfDistributionTenantId"),
            )
        ),
        about="AWS WAF: log of evaluated web requests",
        source='AWS, "Log fields for protection pack (web ACL) traffic":'
        " https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html",
        sample=(
            (
                '{"timestamp":1795309211045,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-3:123456789012:regional/webacl'
                '/shop/1a2b","terminatingRuleId":"STMTest_SQLi_XSS","terminatingRuleType":"REGULAR","action":"BLOCK",'
                '"terminatingRuleMatchDetails":[{"conditionType":"SQL_INJECTION","location":"HEADER","matchedData":["10",'
                '"AND","1"]}],"httpSourceName":"ALB","httpSourceId":"app/shop/50dc6c495c0c9188","ruleGroupList":[],'
                '"rateBasedRuleList":[],"nonTerminatingMatchingRules":[],"requestHeadersInserted":null,"responseCodeSent":'
                'null,"httpRequest":{"clientIp":"192.0.2.7","country":"FR","headers":[{"name":"Host","value":'
                '"example.com"}],"uri":"/cart","args":"id=10","httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":'
                '"rid-1"},"labels":[{"name":"awswaf:managed:token"}],"ja3Fingerprint":"f79b6bad2ad0641e1921aef10262856b"}'
            ),
        ),
        layout="AWSLogs/{account}/WAFLogs/{region}/{webacl}/{yyyy}/{MM}/{dd}/{HH}/{mm}",
    ),
    Preset(
        "aws_cloudtrail",
        JsonForm(
            (
                JsonField("eventVersion"),
                JsonField("userIdentity", _IDENTITY),
                JsonField("eventTime", "timestamp"),
                JsonField("eventSource"),
                JsonField("eventName"),
                JsonField("awsRegion"),
                JsonField("sourceIPAddress"),
                JsonField("userAgent"),
                JsonField("errorCode"),
                JsonField("errorMessage"),
                JsonField("requestParameters", "json"),
                JsonField("responseElements", "json"),
                JsonField("additionalEventData", "json"),
                JsonField("requestID"),
                JsonField("eventID"),
                JsonField("eventType"),
                JsonField("apiVersion"),
                JsonField("managementEvent", "boolean"),
                JsonField("readOnly", "boolean"),
                JsonField("resources", "json"),
                JsonField("recipientAccountId"),
                JsonField("serviceEventDetails", "json"),
                JsonField("sharedEventID"),
                JsonField("vpcEndpointId"),
                JsonField("vpcEndpointAccountId"),
                JsonField("eventCategory"),
                JsonField("addendum", "json"),
                JsonField("sessionCredentialFromConsole"),
                JsonField("edgeDeviceDetails", "json"),
                JsonField("tlsDetails", "struct<tlsVersion:string,cipherSuite:string,clientProvidedHostHeader:string>"),
                JsonField("insightDetails", "json"),
                JsonField("eventContext", "json"),
            ),
            documents=DocumentRule(("Records",), bare_key="eventVersion"),
        ),
        about="AWS CloudTrail: events of API calls in an account",
        source='AWS, "CloudTrail record contents"; files are documents with the array Records, or have an event a line:'
        " https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
        sample=(
            (
                '{"Records":[{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"EX_PRINCIPAL_ID","arn":'
                '"arn:aws:iam::123456789012:user/ana","accountId":"123456789012","accessKeyId":"EXAMPLE_KEY_ID","userName":'
                '"ana"},"eventTime":"2026-11-22T01:00:11Z","eventSource":"ec2.amazonaws.com","eventName":"StartInstances",'
                '"awsRegion":"us-east-2","sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.13","requestParameters":'
                '{"instancesSet":{"items":[{"instanceId":"i-ebeaf9e2"}]}},"responseElements":null,"additionalEventData":'
                '{"SignatureVersion":"SigV4"},"requestID":"e4336db0-149f-4a6b-844d-EXAMPLEb9d16","eventID":'
                '"e755e09c-42f9-4c5c-9064-EXAMPLE228c7","readOnly":false,"eventType":"AwsApiCall","apiVersion":"2016-11-15",'
                '"managementEvent":true,"resources":[{"ARN":"arn:aws:ec2:us-east-2:123456789012:instance/i-ebeaf9e2"}],'
                '"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.2"}}]}'
            ),
        ),
        layout="AWSLogs/{account}/CloudTrail/{region}/{yyyy}/{MM}/{dd}",
    ),
    Preset(
        "aws_route53_resolver",
        JsonForm(
            (
                JsonField("version"),
                JsonField("account_id"),
                JsonField("region"),
                JsonField("vpc_id"),
                JsonField("query_timestamp", "timestamp"),
                JsonField("query_name"),
                JsonField("query_type"),
                JsonField("query_class"),
                JsonField("rcode"),
                JsonField("answers", "array<struct<Rdata:string,Type:string,Class:string>>"),
                JsonField("srcaddr"),
                JsonField("srcport"),
                JsonField("transport"),
                JsonField(
                    "srcids", "struct<instance:string,resolver_endpoint:string,resolver_network_interface:string>"
                ),
                JsonField("firewall_rule_action"),
                JsonField("firewall_rule_group_id"),
                JsonField("firewall_domain_list_id"),
            )
        ),
        about="Amazon Route 53 Resolver: log of DNS queries from VPCs",
        source='AWS, "Values that appear in VPC Resolver query logs":'
        " https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html",
        sample=(
            (
                '{"version":"1.100000","account_id":"123456789012","region":"us-east-1","vpc_id":"vpc-7example",'
                '"query_timestamp":"2026-11-22T01:00:11Z","query_name":"example.com.","query_type":"A","query_class":"IN",'
                '"rcode":"NOERROR","answers":[{"Rdata":"192.0.2.9","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.7","srcport":'
                '"56067","transport":"UDP","srcids":{"instance":"i-0d15cd0d3example"}}'
            ),
        ),
        layout="AWSLogs/{account}/vpcdnsquerylogs/{vpc}/{yyyy}/{MM}/{dd}",
    ),
)
