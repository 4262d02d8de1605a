"""Servers that write JSON: Kubernetes audit logs, Traefik, Caddy, Vault."""

from __future__ import annotations

from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.presets.entry import JsonForm, Preset

_USER = "struct<username:string,uid:string,groups:array<string>,extra:map<string,array<string>>>"
_OBJECT = (
    "struct<resource:string,namespace:string,name:string,uid:string,apiGroup:string,apiVersion:string,"
    "resourceVersion:string,subresource:string>"
)
_CADDY_REQUEST = (
    "struct<remote_ip:string,remote_port:string,client_ip:string,proto:string,method:string,host:string,uri:string,"
    "headers:map<string,array<string>>,tls:struct<resumed:boolean,version:int,cipher_suite:int,proto:string,"
    "server_name:string>>"
)
_VAULT_AUTH = (
    "struct<client_token:string,accessor:string,display_name:string,policies:array<string>,token_policies:array<string>,"
    "identity_policies:array<string>,metadata:map<string,string>,entity_id:string,token_type:string,token_ttl:bigint,"
    "token_issue_time:string,policy_results:string>"
)
_VAULT_REQUEST = (
    "struct<id:string,operation:string,path:string,mount_point:string,mount_type:string,mount_accessor:string,"
    "client_id:string,client_token:string,client_token_accessor:string,namespace:struct<id:string,path:string>,"
    "remote_address:string,remote_port:int,data:string,headers:map<string,array<string>>,wrap_ttl:bigint>"
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        "k8s_audit",
        JsonForm(
            (
                JsonField("requestReceivedTimestamp", "timestamp"),
                JsonField("stageTimestamp", "timestamp"),
                JsonField("kind"),
                JsonField("apiVersion"),
                JsonField("level"),
                JsonField("auditID"),
                JsonField("stage"),
                JsonField("requestURI"),
                JsonField("verb"),
                JsonField("user", _USER),
                JsonField("impersonatedUser", _USER),
                JsonField("sourceIPs", "array<string>"),
                JsonField("userAgent"),
                JsonField("objectRef", _OBJECT),
                JsonField(
                    "responseStatus",
                    "struct<status:string,message:string,reason:string,code:int,details:string,metadata:string>",
                ),
                JsonField("requestObject", "json"),
                JsonField("responseObject", "json"),
                JsonField("annotations", "map<string,string>"),
            )
        ),
        about="Kubernetes API server: audit log",
        source="Kubernetes, kube-apiserver Audit Configuration, Event of audit.k8s.io/v1, as the log backend writes it:"
        " https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/",
        sample=(
            (
                '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1a2b","stage":"ResponseComplete",'
                '"requestURI":"/api/v1/namespaces/shop/secrets/db","verb":"get","user":{"username":"ana","groups":["admins",'
                '"system:authenticated"]},"sourceIPs":["192.0.2.7"],"userAgent":"kubectl/v1.34.0","objectRef":{"resource":'
                '"secrets","namespace":"shop","name":"db","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},'
                '"requestReceivedTimestamp":"2026-11-22T01:00:11.045123Z","stageTimestamp":"2026-11-22T01:00:11.310000Z",'
                '"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}'
            ),
        ),
    ),
    Preset(
        "traefik",
        JsonForm(
            (
                JsonField("StartUTC", "timestamp"),
                JsonField("StartLocal", "timestamp"),
                JsonField("time", "timestamp"),
                JsonField("level"),
                JsonField("msg"),
                JsonField("Duration", "bigint"),
                JsonField("RouterName"),
                JsonField("ServiceName"),
                JsonField("ServiceURL", "json"),
                JsonField("ServiceAddr"),
                JsonField("ClientAddr"),
                JsonField("ClientHost"),
                JsonField("ClientPort"),
                JsonField("ClientUsername"),
                JsonField("RequestAddr"),
                JsonField("RequestHost"),
                JsonField("RequestPort"),
                JsonField("RequestMethod"),
                JsonField("RequestPath"),
                JsonField("RequestProtocol"),
                JsonField("RequestScheme"),
                JsonField("RequestContentSize", "bigint"),
                JsonField("OriginDuration", "bigint"),
                JsonField("OriginContentSize", "bigint"),
                JsonField("OriginStatus", "int"),
                JsonField("DownstreamStatus", "int"),
                JsonField("DownstreamContentSize", "bigint"),
                JsonField("RequestCount", "bigint"),
                JsonField("GzipRatio", "double"),
                JsonField("Overhead", "bigint"),
                JsonField("RetryAttempts", "int"),
                JsonField("TLSVersion"),
                JsonField("TLSCipher"),
                JsonField("TLSClientSubject"),
                JsonField("entryPointName"),
                JsonField("TraceId"),
                JsonField("SpanId"),
            )
        ),
        about="Traefik: access log as JSON",
        source="Traefik, access logs in JSON; durations are in nanoseconds, and a schema can name the headers that are kept"
        " (`request_User-Agent`): https://doc.traefik.io/traefik/reference/install-configuration/observability/logs-and-accesslogs/",
        sample=(
            (
                '{"ClientAddr":"192.0.2.7:51012","ClientHost":"192.0.2.7","ClientPort":"51012","ClientUsername":"-",'
                '"DownstreamContentSize":5120,"DownstreamStatus":200,"Duration":1250000,"OriginContentSize":5120,'
                '"OriginDuration":1100000,"OriginStatus":200,"Overhead":150000,"RequestAddr":"example.com","RequestContentSize":0,'
                '"RequestCount":1399,"RequestHost":"example.com","RequestMethod":"GET","RequestPath":"/cart","RequestPort":"-",'
                '"RequestProtocol":"HTTP/2.0","RequestScheme":"https","RetryAttempts":0,"RouterName":"shop@docker","ServiceAddr":'
                '"10.0.0.1:80","ServiceName":"shop@docker","ServiceURL":"http://10.0.0.1:80","StartLocal":'
                '"2026-11-22T01:00:11.045123456Z","StartUTC":"2026-11-22T01:00:11.045123456Z","TLSCipher":'
                '"TLS_AES_128_GCM_SHA256","TLSVersion":"1.3","entryPointName":"websecure","level":"info","msg":"","time":'
                '"2026-11-22T01:00:11Z"}'
            ),
        ),
    ),
    Preset(
        "caddy",
        JsonForm(
            (
                JsonField("ts", "epoch(s)"),
                JsonField("level"),
                JsonField("logger"),
                JsonField("msg"),
                JsonField("request", _CADDY_REQUEST),
                JsonField("bytes_read", "bigint"),
                JsonField("user_id"),
                JsonField("duration", "double"),
                JsonField("size", "bigint"),
                JsonField("status", "int"),
                JsonField("resp_headers", "map<string,array<string>>"),
                JsonField("error"),
                JsonField("err_id"),
                JsonField("err_trace"),
            )
        ),
        about="Caddy: access log as JSON",
        source='Caddy, "How Logging Works", structured access logs; the duration is in seconds:'
        " https://caddyserver.com/docs/logging",
        sample=(
            (
                '{"level":"info","ts":1795309211.0451234,"logger":"http.log.access","msg":"handled request","request":'
                '{"remote_ip":"192.0.2.7","remote_port":"51012","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":'
                '"example.com","uri":"/cart","headers":{"User-Agent":["curl/8.5.0"],"Accept":["*/*"]},"tls":{"resumed":false,'
                '"version":772,"cipher_suite":4865,"proto":"h2","server_name":"example.com"}},"bytes_read":0,"user_id":"",'
                '"duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"]}}'
            ),
        ),
    ),
    Preset(
        "vault_audit",
        JsonForm(
            (
                JsonField("time", "timestamp"),
                JsonField("type"),
                JsonField("auth", _VAULT_AUTH),
                JsonField("request", _VAULT_REQUEST),
                JsonField("response", "json"),
                JsonField("error"),
                JsonField("forwarded_from"),
            )
        ),
        about="HashiCorp Vault: audit log",
        source='HashiCorp Vault, "Audit devices"; an entry for each request and response, with hashed secrets:'
        " https://developer.hashicorp.com/vault/docs/audit",
        sample=(
            (
                '{"time":"2026-11-22T01:00:11.045123456Z","type":"request","auth":{"client_token":"hmac-sha256:1a2b","accessor":'
                '"hmac-sha256:3c4d","display_name":"approle","policies":["default","shop"],"token_policies":["default","shop"],'
                '"metadata":{"role_name":"shop"},"entity_id":"5e6f","token_type":"service","token_ttl":2764800},"request":{"id":'
                '"7a8b","operation":"read","mount_type":"kv","client_token":"hmac-sha256:1a2b","namespace":{"id":"root"},"path":'
                '"secret/data/shop","remote_address":"192.0.2.7","remote_port":51012}}'
            ),
            (
                '{"time":"2026-11-22T01:00:11.310Z","type":"response","auth":{"display_name":"approle","policies":["default"],'
                '"token_type":"service"},"request":{"id":"7a8b","operation":"read","path":"secret/data/shop","remote_address":'
                '"192.0.2.7"},"response":{"mount_type":"kv","data":{"data":"hmac-sha256:9c0d"}},"error":"permission denied"}'
            ),
        ),
    ),
)
