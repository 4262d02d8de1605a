"""The patterns of whole lines once more, with the columns of the Elastic Common Schema: ``http.response.status_code``.

They are those of Logstash's ``ecs_compatibility => v1`` under the same names with ``ECS_`` before them; among
themselves they refer to one another. Where a value may be ``-``, that is no value.
"""

from __future__ import annotations

import re

from pyspark_logs.formats.regex.grok_pattern import Pattern

_TIME = "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})"
_HAPROXY_HEAD = _TIME + r" %{IPORHOST:[host][hostname]} %{SYSLOGPROG}: "
_HAPROXY_CLIENT = r"%{IP:[source][address]}:%{INT:[source][port]:int} \[%{HAPROXYDATE:[haproxy][request_date]}\] %{NOTSPACE:[haproxy][frontend_name]} %{NOTSPACE:[haproxy][backend_name]}/(?:<NOSRV>|%{NOTSPACE:[haproxy][server_name]})"
_HAPROXY_COUNTS = r"%{INT:[haproxy][connections][active]:int}/%{INT:[haproxy][connections][frontend]:int}/%{INT:[haproxy][connections][backend]:int}/%{INT:[haproxy][connections][server]:int}/%{NOTSPACE:[haproxy][connections][retries]:int} %{INT:[haproxy][server_queue]:int}/%{INT:[haproxy][backend_queue]:int}"
_WAITS = r"(?:-1|%{INT:[haproxy][total_waiting_time_ms]:int})/(?:-1|%{INT:[haproxy][connection_wait_time_ms]:int})/"
_ORIGIN = "%{JAVACLASS:[java][log][origin][class][name]}"

# fmt: off
_TABLE = (
    Pattern("SYSLOGPROG", "`program[pid]`", r"%{PROG:[process][name]}(?:\[%{POSINT:[process][pid]:int}\])?"),
    Pattern("SYSLOGFACILITY", "`<facility.priority>`", r"<%{NONNEGINT:[log][syslog][facility][code]:int}.%{NONNEGINT:[log][syslog][priority]:int}>"),
    Pattern("SYSLOGBASE", "the head of a syslog line (RFC 3164)", r"%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:[host][hostname]} %{SYSLOGPROG}:"),
    Pattern("SYSLOGBASE2", "the same, or with an ISO time, or without host and program", _TIME + r"(?: %{SYSLOGFACILITY})?(?: %{SYSLOGHOST:[host][hostname]})?(?: %{SYSLOGPROG}:)?"),
    Pattern("SYSLOGLINE", "a syslog line (RFC 3164)", r"%{SYSLOGBASE2} %{GREEDYDATA:message}"),
    Pattern("SYSLOGPAMSESSION", "PAM: a session was opened or closed", r"%{SYSLOGBASE} (?<message>%{WORD:[system][auth][pam][module]}\(%{DATA:[system][auth][pam][origin]}\): session %{WORD:[system][auth][pam][session_state]} for user %{USERNAME:[user][name]}(?: by %{GREEDYDATA})?.*)"),
    Pattern("CRONLOG", "a line of cron", r"%{SYSLOGBASE} \(%{USER:[user][name]}\) %{CRON_ACTION:[system][cron][action]} \(%{DATA:message}\)"),
    Pattern("SYSLOG5424PRI", "`<priority>` (RFC 5424)", r"<%{NONNEGINT:[log][syslog][facility][code]:int}>"),
    Pattern("SYSLOG5424BASE", "the head of a syslog line (RFC 5424)", r"%{SYSLOG5424PRI}%{NONNEGINT:[system][syslog][version]} +(?:-|%{TIMESTAMP_ISO8601:timestamp}) +(?:-|%{IPORHOST:[host][hostname]}) +(?:-|%{SYSLOG5424PRINTASCII:[process][name]}) +(?:-|%{SYSLOG5424PRINTASCII:[process][pid]}) +(?:-|%{SYSLOG5424PRINTASCII:[event][code]}) +(?:-|%{SYSLOG5424SD:[system][syslog][structured_data]})?"),
    Pattern("SYSLOG5424LINE", "a syslog line (RFC 5424)", r"%{SYSLOG5424BASE} +%{GREEDYDATA:message}"),

    Pattern("HTTPD_COMMONLOG", "Apache, `common`", r'%{IPORHOST:[source][address]} (?:-|%{HTTPDUSER:[apache][access][user][identity]}) (?:-|%{HTTPDUSER:[user][name]}) \[%{HTTPDATE:timestamp}\] "(?:%{WORD:[http][request][method]} %{NOTSPACE:[url][original]}(?: HTTP/%{NUMBER:[http][version]})?|%{DATA})" (?:-|%{INT:[http][response][status_code]:int}) (?:-|%{INT:[http][response][body][bytes]:long})'),
    Pattern("HTTPD_COMBINEDLOG", "Apache, `combined`", r'%{HTTPD_COMMONLOG} "(?:-|%{DATA:[http][request][referrer]})" "(?:-|%{DATA:[user_agent][original]})"'),
    Pattern("HTTPD20_ERRORLOG", "Apache 2.0 and 2.2, error log", r"\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:[log][level]}\] (?:\[client %{IPORHOST:[source][address]}\] )?%{GREEDYDATA:message}"),
    Pattern("HTTPD24_ERRORLOG", "Apache 2.4, error log", r"\[%{HTTPDERROR_DATE:timestamp}\] \[(?:%{WORD:[apache][error][module]})?:%{LOGLEVEL:[log][level]}\] \[pid %{POSINT:[process][pid]:int}(?::tid %{INT:[process][thread][id]:long})?\](?: \(%{POSINT:[apache][error][proxy][error][code]}\)%{DATA:[apache][error][proxy][error][message]}:)?(?: \[client %{IPORHOST:[source][address]}(?::%{POSINT:[source][port]:int})?\])?(?: %{DATA:[error][code]}:)? %{GREEDYDATA:message}"),
    Pattern("HTTPD_ERRORLOG", "either", r"%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}"),
    Pattern("COMMONAPACHELOG", "an older name of `ECS_HTTPD_COMMONLOG`", r"%{HTTPD_COMMONLOG}"),
    Pattern("COMBINEDAPACHELOG", "an older name of `ECS_HTTPD_COMBINEDLOG`", r"%{HTTPD_COMBINEDLOG}"),

    Pattern("S3_REQUEST_LINE", "the request in an S3 access log", r"(?:%{WORD:[http][request][method]} %{NOTSPACE:[url][original]}(?: HTTP/%{NUMBER:[http][version]})?)"),
    Pattern("S3_ACCESS_LOG", "S3 server access log", r'%{WORD:[aws][s3access][bucket_owner]} %{NOTSPACE:[aws][s3access][bucket]} \[%{HTTPDATE:timestamp}\] (?:-|%{IP:[client][ip]}) (?:-|%{NOTSPACE:[client][user][id]}) %{NOTSPACE:[aws][s3access][request_id]} %{NOTSPACE:[aws][s3access][operation]} (?:-|%{NOTSPACE:[aws][s3access][key]}) (?:-|"%{S3_REQUEST_LINE:[aws][s3access][request_uri]}") (?:-|%{INT:[http][response][status_code]:int}) (?:-|%{NOTSPACE:[aws][s3access][error_code]}) (?:-|%{INT:[aws][s3access][bytes_sent]:long}) (?:-|%{INT:[aws][s3access][object_size]:long}) (?:-|%{INT:[event][duration]:int}) (?:-|%{INT:[aws][s3access][turn_around_time]:int}) "(?:-|%{DATA:[http][request][referrer]})" "(?:-|%{DATA:[user_agent][original]})" (?:-|%{NOTSPACE:[aws][s3access][version_id]})(?: (?:-|%{NOTSPACE:[aws][s3access][host_id]}) (?:-|%{NOTSPACE:[aws][s3access][signature_version]}) (?:-|%{NOTSPACE:[aws][s3access][cipher_suite]}) (?:-|%{NOTSPACE:[aws][s3access][authentication_type]}) (?:-|%{NOTSPACE:[aws][s3access][host_header]}) (?:-|%{NOTSPACE:[aws][s3access][tls_version]}))?'),
    Pattern("ELB_URIHOST", "the host of a load balancer's request", r"%{IPORHOST:[url][domain]}(?::%{POSINT:[url][port]:int})?"),
    Pattern("ELB_URIPATHQUERY", "path and query of a load balancer's request", r"%{URIPATH:[url][path]}(?:\?%{URIQUERY:[url][query]})?"),
    Pattern("ELB_URIPATHPARAM", "an older name of `ECS_ELB_URIPATHQUERY`", r"%{ELB_URIPATHQUERY}"),
    Pattern("ELB_URI", "the URI of a load balancer's request", r"%{URIPROTO:[url][scheme]}://(?:%{USER:[url][username]}(?::[^@]*)?@)?(?:%{ELB_URIHOST})?(?:%{ELB_URIPATHQUERY})?"),
    Pattern("ELB_REQUEST_LINE", "a load balancer's request", r"(?:%{WORD:[http][request][method]} %{ELB_URI:[url][original]}(?: HTTP/%{NUMBER:[http][version]})?)"),
    Pattern("ELB_V1_HTTP_LOG", "classic load balancer, access log", r'%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:[aws][elb][name]} %{IP:[source][ip]}:%{INT:[source][port]:int} (?:-|%{IP:[aws][elb][backend][ip]}:%{INT:[aws][elb][backend][port]:int}) (?:-1|%{NUMBER:[aws][elb][request_processing_time][sec]:float}) (?:-1|%{NUMBER:[aws][elb][backend_processing_time][sec]:float}) (?:-1|%{NUMBER:[aws][elb][response_processing_time][sec]:float}) %{INT:[http][response][status_code]:int} (?:-|%{INT:[aws][elb][backend][http][response][status_code]:int}) %{INT:[http][request][body][bytes]:long} %{INT:[http][response][body][bytes]:long} "%{ELB_REQUEST_LINE}"(?: "(?:-|%{DATA:[user_agent][original]})" (?:-|%{NOTSPACE:[tls][cipher]}) (?:-|%{NOTSPACE:[aws][elb][ssl_protocol]}))?'),
    Pattern("ELB_ACCESS_LOG", "the same", r"%{ELB_V1_HTTP_LOG}"),
    Pattern("CLOUDFRONT_ACCESS_LOG", "CloudFront, access log of 24 fields, tabs between them", r"(?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY}\t%{TIME})\t%{WORD:[aws][cloudfront][x_edge_location]}\t(?:-|%{INT:[destination][bytes]:long})\t%{IPORHOST:[source][ip]}\t%{WORD:[http][request][method]}\t%{HOSTNAME:[url][domain]}\t%{NOTSPACE:[url][path]}\t(?:000|%{INT:[http][response][status_code]:int})\t(?:-|%{DATA:[http][request][referrer]})\t%{DATA:[user_agent][original]}\t(?:-|%{DATA:[url][query]})\t(?:-|%{DATA:[aws][cloudfront][http][request][cookie]})\t%{WORD:[aws][cloudfront][x_edge_result_type]}\t%{NOTSPACE:[event][id]}\t%{HOSTNAME:[aws][cloudfront][http][request][host]}\t%{URIPROTO:[network][protocol]}\t(?:-|%{INT:[source][bytes]:long})\t%{NUMBER:[aws][cloudfront][time_taken]:float}\t(?:-|%{DATA:[network][forwarded_ip]})\t(?:-|%{DATA:[aws][cloudfront][ssl_protocol]})\t(?:-|%{NOTSPACE:[tls][cipher]})\t%{WORD:[aws][cloudfront][x_edge_response_result_type]}"),

    Pattern("HAPROXYTIME", "the time of a request", r"%{HOUR}:%{MINUTE}:(?:60|[0-5]?[0-9])"),
    Pattern("HAPROXYDATE", "when a request was accepted", r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{HAPROXYTIME}.%{INT}"),
    Pattern("HAPROXYCAPTUREDREQUESTHEADERS", "captured request headers; define it anew to take them apart", r"%{DATA:[haproxy][http][request][captured_headers]}"),
    Pattern("HAPROXYCAPTUREDRESPONSEHEADERS", "captured response headers; likewise", r"%{DATA:[haproxy][http][response][captured_headers]}"),
    Pattern("HAPROXYURI", "the URI of a request", r"(?:%{URIPROTO:[url][scheme]}://)?(?:%{USER:[url][username]}(?::[^@]*)?@)?(?:%{IPORHOST:[url][domain]}(?::%{POSINT:[url][port]:int})?)?(?:%{URIPATH:[url][path]}(?:\?%{URIQUERY:[url][query]})?)?"),
    Pattern("HAPROXYHTTPREQUESTLINE", "a request", r"(?:<BADREQ>|%{WORD:[http][request][method]} %{HAPROXYURI:[url][original]}(?: HTTP/%{NUMBER:[http][version]})?)"),
    Pattern("HAPROXYHTTPBASE", "HAProxy, `option httplog`, without syslog's part", _HAPROXY_CLIENT + r" (?:-1|%{INT:[haproxy][http][request][time_wait_ms]:int})/" + _WAITS + r"(?:-1|%{INT:[haproxy][http][request][time_wait_without_data_ms]:int})/%{NOTSPACE:[haproxy][total_time_ms]} %{INT:[http][response][status_code]:int} %{INT:[haproxy][bytes_read]:long} (?:-|%{DATA:[haproxy][http][request][captured_cookie]}) (?:-|%{DATA:[haproxy][http][response][captured_cookie]}) %{NOTSPACE:[haproxy][termination_state]} " + _HAPROXY_COUNTS + r'(?: \{%{HAPROXYCAPTUREDREQUESTHEADERS}\}(?: \{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})?)?(?: "%{HAPROXYHTTPREQUESTLINE}"?)?'),
    Pattern("HAPROXYHTTP", "HAProxy, `option httplog`", _HAPROXY_HEAD + "%{HAPROXYHTTPBASE}"),
    Pattern("HAPROXYTCP", "HAProxy, `option tcplog`", _HAPROXY_HEAD + _HAPROXY_CLIENT + " " + _WAITS + r"%{NOTSPACE:[haproxy][total_time_ms]} %{INT:[haproxy][bytes_read]:long} %{NOTSPACE:[haproxy][termination_state]} " + _HAPROXY_COUNTS),
    Pattern("SQUID3", "Squid, native access log", r"%{NUMBER:timestamp}\s+(?:-|%{INT:[squid][request][duration]:int})\s%{IP:[source][ip]}\s%{WORD:[event][action]}/(?:0|000|%{NONNEGINT:[http][response][status_code]:int})\s%{INT:[http][response][bytes]:long}\s%{WORD:[http][request][method]}\s%{NOTSPACE:[url][original]}\s(?:-|%{NOTSPACE:[user][name]})\s%{WORD:[squid][hierarchy_code]}/(?:-|%{IPORHOST:[destination][address]})\s(?:-|%{NOTSPACE:[http][response][mime_type]})"),

    Pattern("JAVASTACKTRACEPART", "a line of a stack trace", r"%{SPACE}at " + _ORIGIN + r"\.%{JAVAMETHOD:[log][origin][function]}\(%{JAVAFILE:[log][origin][file][name]}(?::%{INT:[log][origin][file][line]:int})?\)"),
    Pattern("CATALINA7_DATESTAMP", "`Jan 2, 2006 3:04:05 PM`", r"%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:%{MINUTE}:%{SECOND} (?:AM|PM)"),
    Pattern("CATALINA7_LOG", "Tomcat 4 to 7, `catalina.out`, two lines a record", r"%{CATALINA7_DATESTAMP:timestamp} " + _ORIGIN + r"(?: %{JAVAMETHOD:[log][origin][function]})?\s*(?:%{LOGLEVEL:[log][level]}:)? %{JAVALOGMESSAGE:message}"),
    Pattern("CATALINA8_DATESTAMP", "`02-Jan-2006 15:04:05.000`", r"%{MONTHDAY}-%{MONTH}-%{YEAR} %{HOUR}:%{MINUTE}:%{SECOND}"),
    Pattern("CATALINA8_LOG", "Tomcat 8 and later, `catalina.out`", r"%{CATALINA8_DATESTAMP:timestamp} %{LOGLEVEL:[log][level]} \[%{DATA:[java][log][origin][thread][name]}\] " + _ORIGIN + r"\.(?:%{JAVAMETHOD:[log][origin][function]})? %{JAVALOGMESSAGE:message}"),
    Pattern("CATALINA_DATESTAMP", "either time", r"%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP}"),
    Pattern("CATALINALOG", "either line", r"%{CATALINA8_LOG}|%{CATALINA7_LOG}"),
    Pattern("TOMCAT50_DATESTAMP", "`2006-01-02 15:04:05`, perhaps with a zone", r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND}(?: %{ISO8601_TIMEZONE})?"),
    Pattern("TOMCATLEGACY_LOG", "Tomcat, with bars between the fields", r"%{TOMCAT50_DATESTAMP:timestamp} \| %{LOGLEVEL:[log][level]} \| " + _ORIGIN + r" - %{JAVALOGMESSAGE:message}"),
    Pattern("TOMCAT_DATESTAMP", "any of these times", r"%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP}|%{TOMCAT50_DATESTAMP}"),
    Pattern("TOMCATLOG", "any of these lines", r"%{CATALINA8_LOG}|%{CATALINA7_LOG}|%{TOMCATLEGACY_LOG}"),

    Pattern("REDISLOG", "the head of a line of Redis", r"\[%{POSINT:[process][pid]:int}\] %{REDISTIMESTAMP:timestamp} \*"),
    Pattern("REDISMONLOG", "a line of Redis's `MONITOR`", r'%{NUMBER:timestamp} \[%{INT:[redis][database][id]} %{IP:[client][ip]}:%{POSINT:[client][port]:int}\] "%{WORD:[redis][command][name]}"\s?%{GREEDYDATA:[redis][command][args]}'),
    Pattern("MONGO_LOG", "MongoDB 2", r"%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:[mongodb][component]}\] %{GREEDYDATA:message}"),
    Pattern("MONGO_SLOWQUERY", "MongoDB 2, a slow query", r"%{WORD:[mongodb][profile][op]} %{MONGO_WORDDASH:[mongodb][database]}\.%{MONGO_WORDDASH:[mongodb][collection]} %{WORD}: %{MONGO_QUERY:[mongodb][query][original]} ntoreturn:%{NONNEGINT:[mongodb][profile][ntoreturn]:int} ntoskip:%{NONNEGINT:[mongodb][profile][ntoskip]:int} nscanned:%{NONNEGINT:[mongodb][profile][nscanned]:int}.*? nreturned:%{NONNEGINT:[mongodb][profile][nreturned]:int}.*? %{INT:[mongodb][profile][duration]:int}ms"),
    Pattern("MONGO3_LOG", "MongoDB 3 to 4.2", r"%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:[log][level]} (?:-|%{WORD:[mongodb][component]})%{SPACE}(?:\[%{DATA:[mongodb][context]}\])? %{GREEDYDATA:message}"),
    Pattern("BIND9_DNSTYPE", "a type of DNS records", r"\b(?:A|AAAA|CAA|CDNSKEY|CDS|CERT|CNAME|CSYNC|DLV|DNAME|DNSKEY|DS|HINFO|LOC|MX|NAPTR|NS|NSEC|NSEC3|OPENPGPKEY|PTR|RRSIG|RP|SIG|SMIMEA|SOA|SRV|TSIG|TXT|URI)\b"),
    Pattern("BIND9", "BIND 9, query log", r"%{BIND9_TIMESTAMP:timestamp} queries: %{LOGLEVEL:[log][level]}: client(?: @0x[0-9A-Fa-f]+)? %{IP:[client][ip]}#%{POSINT:[client][port]:int} \(%{GREEDYDATA:[bind][log][question][name]}\): query: %{GREEDYDATA:[dns][question][name]} (?<[dns][question][class]>IN) %{BIND9_DNSTYPE:[dns][question][type]}(?: %{DATA:[bind][log][question][flags]})? \(%{IP:[server][ip]}\)"),
)
# fmt: on

_NAMES = {one.name for one in _TABLE}
_REFERENCE = re.compile(r"(?<=%\{)\w+")


def _renamed(one: Pattern) -> Pattern:
    text = _REFERENCE.sub(lambda found: f"ECS_{found[0]}" if found[0] in _NAMES else found[0], one.text)
    return Pattern(f"ECS_{one.name}", one.meaning, text, one.not_after)


ECS = tuple(_renamed(one) for one in _TABLE)
