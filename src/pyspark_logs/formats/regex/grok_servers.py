"""Patterns of whole lines: web servers, proxies, AWS, syslog, Java, databases. Names and columns are those of Logstash.

Columns are strings but where Logstash's patterns say otherwise; what counts bytes is a ``long``. Documents of the
formats: httpd.apache.org/docs/current/mod/mod_log_config.html and core.html#errorlogformat; AWS's guides of S3 server
access logs, classic load balancers and CloudFront; RFC 3164 and RFC 5424; docs.haproxy.org (8, Logging);
wiki.squid-cache.org/Features/LogFormat.
"""

from __future__ import annotations

from pyspark_logs.formats.regex.grok_pattern import Pattern

_SYSLOG_TIME = "(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601})"
_HAPROXY_HEAD = _SYSLOG_TIME + r" %{IPORHOST:syslog_server} %{SYSLOGPROG}: "
_HAPROXY_CLIENT = r"%{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\] %{NOTSPACE:frontend_name}"
_HAPROXY_COUNTS = "%{INT:actconn}/%{INT:feconn}/%{INT:beconn}/%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/%{INT:backend_queue}"
_HAPROXY_URL = (
    r"(?:%{URIPROTO:http_proto}://)?(?:%{USER:http_user}(?::[^@]*)?@)?(?:%{URIHOST:http_host})?"
    r"(?:%{URIPATHPARAM:http_request})?"
)

# fmt: off
HTTPD = (
    Pattern("HTTPDUSER", "a user as Apache logs it: a name or an e-mail address", r"%{EMAILADDRESS}|%{USER}"),
    Pattern("HTTPDERROR_DATE", "`Mon Jan 02 15:04:05.000000 2006`", r"%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}"),
    Pattern("HTTPD_COMMONLOG", "Apache, `common`", r'%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" (?:%{NUMBER:response}|-) (?:%{NUMBER:bytes}|-)'),
    Pattern("HTTPD_COMBINEDLOG", "Apache, `combined`; referrer and agent with their quotes", r"%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}"),
    Pattern("HTTPD20_ERRORLOG", "Apache 2.0 and 2.2, error log", r"\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] (?:\[client %{IPORHOST:clientip}\] )?%{GREEDYDATA:message}"),
    Pattern("HTTPD24_ERRORLOG", "Apache 2.4, error log", r"\[%{HTTPDERROR_DATE:timestamp}\] \[%{WORD:module}?:%{LOGLEVEL:loglevel}\] \[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\](?: \(%{POSINT:proxy_errorcode}\)%{DATA:proxy_message}:)?(?: \[client %{IPORHOST:clientip}(?::%{POSINT:clientport})?\])?(?: %{DATA:errorcode}:)? %{GREEDYDATA:message}"),
    Pattern("HTTPD_ERRORLOG", "either", r"%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}"),
    Pattern("COMMONAPACHELOG", "an older name of `HTTPD_COMMONLOG`", r"%{HTTPD_COMMONLOG}"),
    Pattern("COMBINEDAPACHELOG", "an older name of `HTTPD_COMBINEDLOG`", r"%{HTTPD_COMBINEDLOG}"),
)

AWS = (
    Pattern("S3_REQUEST_LINE", "the request in an S3 access log", r"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})"),
    Pattern("S3_ACCESS_LOG", "S3 server access log, to the version id", r'%{WORD:owner} %{NOTSPACE:bucket} \[%{HTTPDATE:timestamp}\] (?:%{IP:clientip}|-) %{NOTSPACE:requester} %{NOTSPACE:request_id} %{NOTSPACE:operation} %{NOTSPACE:key} (?:"%{S3_REQUEST_LINE}"|"-"|-) (?:%{INT:response:int}|-) (?:-|%{NOTSPACE:error_code}) (?:%{INT:bytes:long}|-) (?:%{INT:object_size:long}|-) (?:%{INT:request_time_ms:int}|-) (?:%{INT:turnaround_time_ms:int}|-) (?:%{QS:referrer}|-) (?:"?%{QS:agent}"?|-) (?:-|%{NOTSPACE:version_id})'),
    Pattern("ELB_URIPATHPARAM", "path and query of a load balancer's request", r"%{URIPATH:path}(?:%{URIPARAM:params})?"),
    Pattern("ELB_URI", "the URI of a load balancer's request", r"%{URIPROTO:proto}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST:urihost})?(?:%{ELB_URIPATHPARAM})?"),
    Pattern("ELB_REQUEST_LINE", "a load balancer's request", r"(?:%{WORD:verb} %{ELB_URI:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})"),
    Pattern("ELB_ACCESS_LOG", "classic load balancer, access log", r'%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:elb} %{IP:clientip}:%{INT:clientport:int} (?:%{IP:backendip}:?:%{INT:backendport:int}|-) %{NUMBER:request_processing_time:float} %{NUMBER:backend_processing_time:float} %{NUMBER:response_processing_time:float} %{INT:response:int} (?:-|%{INT:backend_response:int}) %{INT:received_bytes:long} %{INT:bytes:long} "%{ELB_REQUEST_LINE}"'),
    Pattern("CLOUDFRONT_ACCESS_LOG", "CloudFront, access log of 24 fields, tabs between them", r"(?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY}\t%{TIME})\t%{WORD:x_edge_location}\t(?:%{NUMBER:sc_bytes:long}|-)\t%{IPORHOST:clientip}\t%{WORD:cs_method}\t%{HOSTNAME:cs_host}\t%{NOTSPACE:cs_uri_stem}\t%{NUMBER:sc_status:int}\t%{GREEDYDATA:referrer}\t%{GREEDYDATA:agent}\t%{GREEDYDATA:cs_uri_query}\t%{GREEDYDATA:cookies}\t%{WORD:x_edge_result_type}\t%{NOTSPACE:x_edge_request_id}\t%{HOSTNAME:x_host_header}\t%{URIPROTO:cs_protocol}\t%{INT:cs_bytes:long}\t%{GREEDYDATA:time_taken:float}\t%{GREEDYDATA:x_forwarded_for}\t%{GREEDYDATA:ssl_protocol}\t%{GREEDYDATA:ssl_cipher}\t%{GREEDYDATA:x_edge_response_result_type}"),
)

PROXIES = (
    Pattern("HAPROXYTIME", "the time of a request", r"%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}:(?<haproxy_second>60|[0-5]?[0-9])"),
    Pattern("HAPROXYDATE", "when a request was accepted", r"%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/%{YEAR:haproxy_year}:%{HAPROXYTIME:haproxy_time}.%{INT:haproxy_milliseconds}"),
    Pattern("HAPROXYCAPTUREDREQUESTHEADERS", "captured request headers; define it anew to take them apart", r"%{DATA:captured_request_headers}"),
    Pattern("HAPROXYCAPTUREDRESPONSEHEADERS", "captured response headers; likewise", r"%{DATA:captured_response_headers}"),
    Pattern("HAPROXYHTTPBASE", "HAProxy, `option httplog`, without syslog's part", _HAPROXY_CLIENT + r" %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} %{INT:time_request}/%{INT:time_queue}/%{INT:time_backend_connect}/%{INT:time_backend_response}/%{NOTSPACE:time_duration} %{INT:http_status_code} %{NOTSPACE:bytes_read} %{DATA:captured_request_cookie} %{DATA:captured_response_cookie} %{NOTSPACE:termination_state} " + _HAPROXY_COUNTS + r' (?:\{%{HAPROXYCAPTUREDREQUESTHEADERS}\})? ?(?:\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})? ?"(?:<BADREQ>|(?:%{WORD:http_verb} ' + _HAPROXY_URL + r'(?: HTTP/%{NUMBER:http_version})?))?"?'),
    Pattern("HAPROXYHTTP", "HAProxy, `option httplog`", _HAPROXY_HEAD + "%{HAPROXYHTTPBASE}"),
    Pattern("HAPROXYTCP", "HAProxy, `option tcplog`", _HAPROXY_HEAD + _HAPROXY_CLIENT + r" %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} %{INT:time_queue}/%{INT:time_backend_connect}/%{NOTSPACE:time_duration} %{NOTSPACE:bytes_read} %{NOTSPACE:termination_state} " + _HAPROXY_COUNTS),
    Pattern("HAPROXYERROR", "HAProxy, a connection error", _HAPROXY_HEAD + _HAPROXY_CLIENT + r"/%{NOTSPACE:bind_name}: %{GREEDYDATA:error_message}"),
    Pattern("SQUID3", "Squid, native access log", r"%{NUMBER:timestamp}\s+%{NUMBER:duration}\s%{IP:client_address}\s%{WORD:cache_result}/%{NONNEGINT:status_code}\s%{NUMBER:bytes}\s%{WORD:request_method}\s%{NOTSPACE:url}\s(?:%{NOTSPACE:user}|-)\s%{WORD:hierarchy_code}/(?:%{IPORHOST:server}|-)\s%{NOTSPACE:content_type}"),
)

SYSLOG = (
    Pattern("PROG", "the name of a program in syslog", r"[\x21-\x5a\x5c\x5e-\x7e]+"),
    Pattern("SYSLOGPROG", "`program[pid]`; gives `program`, `pid`", r"%{PROG:program}(?:\[%{POSINT:pid}\])?"),
    Pattern("SYSLOGHOST", "the host in syslog", r"%{IPORHOST}"),
    Pattern("SYSLOGFACILITY", "`<facility.priority>`", r"<%{NONNEGINT:facility}.%{NONNEGINT:priority}>"),
    Pattern("SYSLOGBASE", "the head of a syslog line (RFC 3164)", r"%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:"),
    Pattern("SYSLOGBASE2", "the same, or with an ISO time, or without a program", r"(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource}(?: %{SYSLOGPROG}:|)"),
    Pattern("SYSLOGLINE", "a syslog line (RFC 3164)", r"%{SYSLOGBASE2} %{GREEDYDATA:message}"),
    Pattern("SYSLOGPAMSESSION", "PAM: a session was opened or closed", r"%{SYSLOGBASE} (?<message>%{WORD:pam_module}\(%{DATA:pam_caller}\): session %{WORD:pam_session_state} for user %{USERNAME:username}(?: by %{GREEDYDATA:pam_by})?.*)"),
    Pattern("CRON_ACTION", "what cron did: `CMD`", r"[A-Z ]+"),
    Pattern("CRONLOG", "a line of cron", r"%{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:action} \(%{DATA:message}\)"),
    Pattern("SYSLOG5424PRINTASCII", "printable ASCII without spaces", r"[!-~]+"),
    Pattern("SYSLOG5424PRI", "`<priority>` (RFC 5424)", r"<%{NONNEGINT:syslog5424_pri}>"),
    Pattern("SYSLOG5424SD", "structured data (RFC 5424)", r"\[%{DATA}\]+"),
    Pattern("SYSLOG5424BASE", "the head of a syslog line (RFC 5424)", r"%{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver} +(?:%{TIMESTAMP_ISO8601:syslog5424_ts}|-) +(?:%{IPORHOST:syslog5424_host}|-) +(?:-|%{SYSLOG5424PRINTASCII:syslog5424_app}) +(?:-|%{SYSLOG5424PRINTASCII:syslog5424_proc}) +(?:-|%{SYSLOG5424PRINTASCII:syslog5424_msgid}) +(?:%{SYSLOG5424SD:syslog5424_sd}|-|)"),
    Pattern("SYSLOG5424LINE", "a syslog line (RFC 5424)", r"%{SYSLOG5424BASE} +%{GREEDYDATA:syslog5424_msg}"),
)

_JAVA_NAME = "[a-zA-Z$_][a-zA-Z$_0-9]*"
JAVA = (
    Pattern("JAVACLASS", "a class, with its package", rf"(?:{_JAVA_NAME}\.)*{_JAVA_NAME}"),
    Pattern("JAVAFILE", "a source file, `Native Method`, `Unknown Source`", r"[a-zA-Z$_0-9. -]+"),
    Pattern("JAVAMETHOD", "a method, `<init>`, `<clinit>`", rf"<(?:cl)?init>|{_JAVA_NAME}"),
    Pattern("JAVASTACKTRACEPART", "a line of a stack trace", r"%{SPACE}at %{JAVACLASS:class}\.%{JAVAMETHOD:method}\(%{JAVAFILE:file}(?::%{INT:line})?\)"),
    Pattern("JAVATHREAD", "a processor thread of Tomcat", r"[A-Z]{2}-Processor[0-9]+"),
    Pattern("JAVALOGMESSAGE", "the rest of a line", r".*"),
    Pattern("CATALINA_DATESTAMP", "`Jan 2, 2006 3:04:05 PM`", r"%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:?%{MINUTE}(?::?%{SECOND}) (?:AM|PM)"),
    Pattern("TOMCAT_DATESTAMP", "`2006-01-02 15:04:05,000 +0100`", r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:?%{MINUTE}(?::?%{SECOND}) %{ISO8601_TIMEZONE}"),
    Pattern("CATALINALOG", "Tomcat, `catalina.out`", r"%{CATALINA_DATESTAMP:timestamp} %{JAVACLASS:class} %{JAVALOGMESSAGE:logmessage}"),
    Pattern("TOMCATLOG", "Tomcat, with bars between the fields", r"%{TOMCAT_DATESTAMP:timestamp} \| %{LOGLEVEL:level} \| %{JAVACLASS:class} - %{JAVALOGMESSAGE:logmessage}"),
)

STORES = (
    Pattern("REDISTIMESTAMP", "`02 Jan 15:04:05.000`", r"%{MONTHDAY} %{MONTH} %{TIME}"),
    Pattern("REDISLOG", "the head of a line of Redis", r"\[%{POSINT:pid}\] %{REDISTIMESTAMP:timestamp} \* "),
    Pattern("REDISMONLOG", "a line of Redis's `MONITOR`", r'%{NUMBER:timestamp} \[%{INT:database} %{IP:client}:%{NUMBER:port}\] "%{WORD:command}"\s?%{GREEDYDATA:params}'),
    Pattern("MONGO_LOG", "MongoDB 2", r"%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:component}\] %{GREEDYDATA:message}"),
    Pattern("MONGO_QUERY", "a query in a line of a slow operation", r"\{ .* \}"),
    Pattern("MONGO_SLOWQUERY", "MongoDB 2, a slow query", r"%{WORD} %{MONGO_WORDDASH:database}\.%{MONGO_WORDDASH:collection} %{WORD}: %{MONGO_QUERY:query} ntoreturn:%{NONNEGINT:ntoreturn} %{WORD}:%{NONNEGINT:ntoskip} %{WORD}:%{NONNEGINT:nscanned}.*nreturned:%{NONNEGINT:nreturned}..+ (?<duration>[0-9]+)ms"),
    Pattern("MONGO_WORDDASH", "letters, digits, `_` and `-`", r"\b[\w-]+\b"),
    Pattern("MONGO3_SEVERITY", "a letter", r"\w"),
    Pattern("MONGO3_COMPONENT", "a word or `-`", r"%{WORD}|-"),
    Pattern("MONGO3_LOG", "MongoDB 3 to 4.2", r"%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity} %{MONGO3_COMPONENT:component}%{SPACE}(?:\[%{DATA:context}\])? %{GREEDYDATA:message}"),
    Pattern("POSTGRESQL", "PostgreSQL, an old prefix", r"%{DATESTAMP:timestamp} %{TZ} %{DATA:user_id} %{GREEDYDATA:connection_id} %{POSINT:pid}"),
    Pattern("BIND9_TIMESTAMP", "`02-Jan-2006 15:04:05.000`", r"%{MONTHDAY}-%{MONTH}-%{YEAR} %{TIME}"),
    Pattern("BIND9", "BIND 9, query log", r"%{BIND9_TIMESTAMP:timestamp} queries: %{LOGLEVEL:loglevel}: client(?: @0x[0-9A-Fa-f]+)? %{IP:clientip}#%{POSINT:clientport} \(%{GREEDYDATA:query}\): query: %{GREEDYDATA:query} IN %{GREEDYDATA:querytype} \(%{IP:dns}\)"),
)
# fmt: on

SERVERS = (*HTTPD, *AWS, *PROXIES, *SYSLOG, *JAVA, *STORES)
