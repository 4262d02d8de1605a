"""Examples for each pattern of the library: texts that it matches from end to end, and texts that it does not match.

The lines of servers are in the style of the providers' documents. An ``ECS_`` pattern without examples shares those of
the pattern of the same name.
"""

from __future__ import annotations

from pyspark_logs.formats.regex.grok_library import grok_library

COMMON = '192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
COMBINED = COMMON + ' "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
ERROR_20 = "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server configuration: /export/home"
ERROR_24 = (
    "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:4711]"
    " AH00128: File does not exist: /usr/local/apache2/htdocs/favicon.ico"
)
S3 = (
    "79a59df900b949e5 DOC-EXAMPLE-BUCKET1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b949e5 3E57427F3EXAMPLE"
    ' REST.GET.VERSIONING - "GET /DOC-EXAMPLE-BUCKET1?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" -'
)
ELB = (
    "2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057"
    ' 200 200 0 29 "GET http://www.example.com:80/a/b?c=d HTTP/1.1"'
)
CLOUDFRONT = (
    "2019-12-04 21:02:31 LAX1 392 192.0.2.100 GET d111111abcdef8.cloudfront.net /index.html 200 - Mozilla/5.0%20(Windows)"
    " a=b - Hit SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ== d111111abcdef8.cloudfront.net https 23 0.001"
    " - TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 Hit"
).replace(" ", "\t")
HAPROXY_BASE = (
    "10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0"
    ' {1wt.eu} {} "GET /index.html HTTP/1.1"'
)
HAPROXY = "Feb  6 12:14:14 localhost haproxy[14389]: " + HAPROXY_BASE
HAPROXY_TCP = (
    "Feb  6 12:12:56 localhost haproxy[14387]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 --"
    " 0/0/0/0/3 0/0"
)
HAPROXY_ERROR = (
    "Dec  3 18:27:14 localhost haproxy[6103]: 127.0.0.1:56059 [03/Dec/2012:17:35:10.380] frt/f1: Connection error during"
    " SSL handshake"
)
SQUID = (
    "1286536309.586    921 192.168.0.68 TCP_MISS/200 507 POST http://rcv-srv37.inplay.example/rcv inge"
    " HIER_DIRECT/192.0.2.61 application/xml"
)
SYSLOG = "Oct 11 22:14:15 mymachine su[230]: 'su root' failed for lonvick on /dev/pts/8"
PAM = "Oct 11 22:14:15 mymachine sshd[230]: pam_unix(sshd:session): session opened for user root by (uid=0)"
CRON = "Oct 11 22:17:01 mymachine CRON[231]: (root) CMD (   cd / && run-parts /etc/cron.hourly)"
SYSLOG_5424 = (
    '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 8710 ID47 [exampleSDID@32473 iut="3"] An event'
)
TRACE = "\tat org.example.Main$Inner.run(Main.java:42)"
CATALINA = "Jan 9, 2014 7:13:13 AM org.apache.catalina.startup.HostConfig deployWAR INFO: Deploying"
CATALINA_8 = "31-Jul-2020 16:40:38.505 INFO [main] org.apache.catalina.startup.HostConfig.deployDirectory Deployment took [40] ms"
TOMCAT = "2014-01-09 20:03:28,269 -0800 | ERROR | com.example.service.ExampleService - something went wrong"
REDIS_MONITOR = '1339518083.107412 [0 127.0.0.1:60866] "keys" "*"'
MONGO = "Nov  6 21:18:54 [conn12] end connection 10.0.0.7:51024"
MONGO_SLOW = (
    "query test.users query: { age: { $gt: 3.0 } } ntoreturn:10 ntoskip:0 nscanned:30 keyUpdates:0 nreturned:10"
    " reslen:20 120ms"
)
MONGO_3 = "2014-11-03T18:28:32.450-0500 I NETWORK  [initandlisten] waiting for connections on port 27017"
BIND = (
    "17-Feb-2018 23:06:56.326 queries: info: client 172.26.0.1#12345 (test.example.com): query: test.example.com IN A +E(0)K"
    " (172.26.0.3)"
)
NOT_A_LINE = "that is no line of a log"

EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    # words
    "USERNAME": (["frank", "a.b-c_9"], ["a b", "", "a@b"]),
    "USER": (["frank"], ["a b"]),
    "EMAILLOCALPART": (["first.last+tag", "o'brien"], [".first", "a..b", "a b"]),
    "EMAILADDRESS": (["jane.doe@example.com"], ["jane.doe", "@example.com"]),
    "INT": (["0", "-17", "+4"], ["1.5", "", "x"]),
    "BASE10NUM": (["3", "-1.5", "+.5"], ["1e3", "1.", "."]),
    "NUMBER": (["3", "-1.5"], ["1,5"]),
    "BASE16NUM": (["ff", "0xDEADbeef", "-1A"], ["0x", "xyz"]),
    "BASE16FLOAT": (["0xA.8", "1f"], ["g", "0x"]),
    "POSINT": (["1", "8080"], ["0", "-1", "08"]),
    "NONNEGINT": (["0", "08"], ["-1", ""]),
    "WORD": (["abc_9"], ["a-b", ""]),
    "NOTSPACE": (["a-b/ä"], ["a b", ""]),
    "SPACE": (["", " \t"], ["a"]),
    "DATA": (["", "a b"], ["a\nb"]),
    "GREEDYDATA": (["", "a b"], ["a\nb"]),
    "QUOTEDSTRING": (['"a b"', '""', r'"a \" b"', "'a'", "`a`", "''"], ['"a', 'a"', '"a" "b"', r'"a\"']),
    "QS": (['"a b"'], ["a b"]),
    "UUID": (["5f2d0c5e-6d4b-4a5e-9d3c-2f6f0f0f0b1a"], ["5f2d0c5e6d4b4a5e9d3c2f6f0f0f0b1a", "5f2d0c5e-6d4b"]),
    "URN": (["urn:isbn:0451450523", "urn:ietf:rfc:2141"], ["isbn:0451450523", "urn:"]),
    "LOGLEVEL": (["INFO", "info", "WARNING", "warn", "Error", "CRITICAL", "severe", "EMERGENCY", "trace"], ["INFOX", "loud"]),
    # network
    "CISCOMAC": (["0011.2233.4455"], ["00:11:22:33:44:55"]),
    "WINDOWSMAC": (["00-11-22-33-44-55"], ["00:11:22:33:44:55"]),
    "COMMONMAC": (["00:11:22:33:44:55"], ["00-11-22-33-44-55", "00:11:22:33:44"]),
    "MAC": (["0011.2233.4455", "00-11-22-33-44-55", "00:11:22:33:44:55"], ["00:11:22:33:44:5g"]),
    "IPV6": (
        ["::", "::1", "2001:db8::1", "2001:db8:0:0:8:800:200c:417a", "fe80::1%eth0", "::ffff:192.0.2.128", "1::",
         "1:2:3:4:5:6:7::", "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6::8", "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "1:2::192.0.2.1"],
        ["1:2:3", "12:30:45", "1::2::3", "1:2:3:4:5:6:7:8:9", "192.0.2.1", "12345::", "1:2:3:4:5:6:7"],
    ),
    "IPV4": (["0.0.0.0", "255.255.255.255", "192.0.2.1", "010.001.002.003"], ["256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.456"]),
    "IP": (["192.0.2.1", "2001:db8::1"], ["example.com"]),
    "HOSTNAME": (["localhost", "www.example.com", "a-1.example.", "3com.com"], ["-a", "a_b", "a..b"]),
    "HOST": (["www.example.com"], ["a b"]),
    "IPORHOST": (["192.0.2.1", "2001:db8::1", "www.example.com"], ["a_b"]),
    "HOSTPORT": (["example.com:80", "192.0.2.1:8080"], ["example.com", "example.com:0"]),
    "URIPROTO": (["http", "svn+ssh"], ["1http", "h ttp"]),
    "URIHOST": (["example.com:443", "example.com"], ["example.com:"]),
    "URIPATH": (["/", "/a/b.html", "/%7Euser/(x)"], ["a/b", "/a?b", "/a b"]),
    "URIQUERY": (["a=b&c=[d]", ""], ["a b"]),
    "URIPARAM": (["?a=b", "?"], ["a=b"]),
    "URIPATHPARAM": (["/a?b=c", "/a"], ["?b=c"]),
    "URI": (["http://user:secret@example.com:8080/a?b=c", "https://example.com", "file:///etc/hosts"], ["example.com/a", "http:/a"]),
    # paths
    "UNIXPATH": (["/", "/usr/local/lib", "/tmp/ä b".replace(" ", "\\ ")], ["usr/local", "/a b"]),
    "WINPATH": ([r"C:\Windows\system32", r"\\server\share"], ["C:", "/usr"]),
    "PATH": (["/usr", r"C:\x"], ["usr"]),
    "TTY": (["/dev/pts/1", "/dev/tty0", "/dev/ttyp1"], ["/dev/sda", "/dev/pts/"]),
    # times
    "MONTH": (["Jan", "january", "March", "Mai", "Dez", "Okt", "September", "März"], ["Map", "Janu", "13"]),
    "MONTHNUM": (["1", "01", "12"], ["0", "13"]),
    "MONTHNUM2": (["01", "12"], ["1", "13"]),
    "MONTHDAY": (["1", "01", "31", "29"], ["0", "32"]),
    "DAY": (["Mon", "Saturday"], ["Mond", "mon"]),
    "YEAR": (["2026", "26"], ["202", "2"]),
    "HOUR": (["0", "09", "23"], ["24"]),
    "MINUTE": (["00", "59"], ["60", "5"]),
    "SECOND": (["5", "59", "60", "07.123", "07,5"], ["61", "7."]),
    "TIME": (["01:02:03", "1:02:03.5"], ["24:00:00", "01:02"]),
    "DATE_US": (["12/31/2026", "1-2-26"], ["31/12/2026"]),
    "DATE_EU": (["31.12.2026", "1/2/26"], ["12.31.2026"]),
    "DATE": (["12/31/2026", "31.12.2026"], ["2026-12-31T"]),
    "DATESTAMP": (["12/31/2026 01:02:03", "31.12.2026-01:02:03"], ["31.12.2026"]),
    "ISO8601_TIMEZONE": (["Z", "+01:00", "-0800"], ["UTC", "+1:0"]),
    "ISO8601_SECOND": (["59.999", "60"], ["61"]),
    "TIMESTAMP_ISO8601": (["2026-11-22T01:00:11.045Z", "2026-11-22 01:00:11,045", "2026-11-22T01:00+01:00"], ["2026/11/22 01:00:11", "2026-13-22T01:00:11"]),
    "TIMESTAMP_CN": (["2026-11-22 01:00:11.045"], ["2026-11-22T01:00:11.045"]),
    "TZ": (["UTC", "EST", "PDT", "CET".replace("CET", "CST")], ["CET", "X"]),
    "DATESTAMP_RFC822": (["Mon Jan 02 2006 15:04:05 EST"], ["Mon, 02 Jan 2006 15:04:05 EST"]),
    "DATESTAMP_RFC2822": (["Mon, 02 Jan 2006 15:04:05 +0100"], ["Mon Jan 02 2006 15:04:05 EST"]),
    "DATESTAMP_OTHER": (["Mon Jan 02 15:04:05 EST 2006"], ["Mon Jan 02 2006 15:04:05 EST"]),
    "DATESTAMP_EVENTLOG": (["20060102150405"], ["2006-01-02 15:04:05"]),
    "HTTPDATE": (["02/Jan/2006:15:04:05 +0100", "04/Mai/2015:13:17:15 +0200"], ["04/Map/2015:13:17:15 +0200", "02/Jan/2006 15:04:05"]),
    "SYSLOGTIMESTAMP": (["Jan  2 15:04:05", "Oct 11 22:14:15.003"], ["2 Jan 15:04:05"]),
    # web servers
    "HTTPDUSER": (["frank", "jane@example.com", "-"], ["a b"]),
    "HTTPDERROR_DATE": (["Wed Oct 11 14:32:52 2000", "Fri Sep 09 10:42:29.902022 2011"], ["Oct 11 14:32:52 2000"]),
    "HTTPD_COMMONLOG": ([COMMON, COMMON.replace("200 2326", "- -"), COMMON.replace("GET /apache_pb.gif HTTP/1.0", "-")], [COMMON[:-20], NOT_A_LINE]),
    "HTTPD_COMBINEDLOG": ([COMBINED], [COMMON, NOT_A_LINE]),
    "COMMONAPACHELOG": ([COMMON], [NOT_A_LINE]),
    "COMBINEDAPACHELOG": ([COMBINED], [COMMON]),
    "HTTPD20_ERRORLOG": ([ERROR_20], [ERROR_24, NOT_A_LINE]),
    "HTTPD24_ERRORLOG": ([ERROR_24], [ERROR_20, NOT_A_LINE]),
    "HTTPD_ERRORLOG": ([ERROR_20, ERROR_24], [COMMON]),
    # AWS
    "S3_REQUEST_LINE": (["GET /b?versioning HTTP/1.1", "GET /b"], ["a\nb"]),
    "S3_ACCESS_LOG": ([S3], [COMMON]),
    "ELB_URIPATHPARAM": (["/a/b?c=d", "/a"], ["a"]),
    "ELB_URI": (["http://www.example.com:80/a?b=c"], ["www.example.com"]),
    "ELB_REQUEST_LINE": (["GET http://www.example.com:80/ HTTP/1.1"], ["a\nb"]),
    "ELB_ACCESS_LOG": ([ELB, ELB.replace("10.0.0.1:80", "-")], [COMMON]),
    "CLOUDFRONT_ACCESS_LOG": ([CLOUDFRONT], [CLOUDFRONT.replace("\t", " ")]),
    # proxies
    "HAPROXYTIME": (["12:14:14"], ["12:14"]),
    "HAPROXYDATE": (["06/Feb/2009:12:14:14.655"], ["06/Feb/2009:12:14"]),
    "HAPROXYCAPTUREDREQUESTHEADERS": (["a|b"], ["a\nb"]),
    "HAPROXYCAPTUREDRESPONSEHEADERS": (["a|b"], ["a\nb"]),
    "HAPROXYHTTPBASE": ([HAPROXY_BASE], [HAPROXY_TCP]),
    "HAPROXYHTTP": ([HAPROXY], [HAPROXY_TCP]),
    "HAPROXYTCP": ([HAPROXY_TCP], [HAPROXY]),
    "HAPROXYERROR": ([HAPROXY_ERROR], [HAPROXY]),
    "SQUID3": ([SQUID, SQUID.replace("inge HIER_DIRECT/192.0.2.61", "- HIER_NONE/-")], [COMMON]),
    # syslog
    "PROG": (["postfix/smtpd", "ansible-<stdin>"], ["a b", "a[1]"]),
    "SYSLOGPROG": (["su", "postfix/smtpd[1713]"], ["su[x]"]),
    "SYSLOGHOST": (["mymachine", "192.0.2.1"], ["my machine"]),
    "SYSLOGFACILITY": (["<3.6>"], ["<36>", "3.6"]),
    "SYSLOGBASE": (["Oct 11 22:14:15 mymachine su[230]:", "Oct 11 22:14:15 <3.6> mymachine su:"], [SYSLOG]),
    "SYSLOGBASE2": (["Oct 11 22:14:15 mymachine su[230]:", "2003-10-11T22:14:15Z mymachine"], [NOT_A_LINE]),
    "SYSLOGLINE": ([SYSLOG, "Jun 24 10:32:02 win-host WinFileService Event: read"], [NOT_A_LINE]),
    "SYSLOGPAMSESSION": ([PAM, PAM.replace(" by (uid=0)", "")], [SYSLOG]),
    "CRON_ACTION": (["CMD", "RELOAD X"], ["cmd"]),
    "CRONLOG": ([CRON], [SYSLOG]),
    "SYSLOG5424PRINTASCII": (["a-b/c"], ["a b", "ä"]),
    "SYSLOG5424PRI": (["<165>"], ["165", "<-1>"]),
    "SYSLOG5424SD": (['[exampleSDID@32473 iut="3"]', "[a][b]"], ["-"]),
    "SYSLOG5424BASE": ([SYSLOG_5424.removesuffix(" An event"), "<34>1 - - - - - -"], [SYSLOG]),
    "SYSLOG5424LINE": ([SYSLOG_5424, "<34>1 - - - - - - x"], [SYSLOG]),
    # Java
    "JAVACLASS": (["org.example.Main$Inner", "Main", "hudson.node_monitors.X"], ["org..Main", "1x"]),
    "JAVAFILE": (["Main.java", "Native Method"], ["Main:java"]),
    "JAVAMETHOD": (["run", "<init>", "<clinit>"], ["<x>", "a b"]),
    "JAVASTACKTRACEPART": ([TRACE, "  at java.lang.Thread.run(Native Method)"], ["at line 9"]),
    "JAVATHREAD": (["TP-Processor12"], ["main"]),
    "JAVALOGMESSAGE": (["anything"], ["a\nb"]),
    "CATALINA_DATESTAMP": (["Jan 9, 2014 7:13:13 AM"], ["Jan 9, 2014 7:13:13"]),
    "TOMCAT_DATESTAMP": (["2014-01-09 20:03:28,269 -0800"], ["2014-01-09"]),
    "CATALINALOG": ([CATALINA], [TOMCAT]),
    "TOMCATLOG": ([TOMCAT], [CATALINA]),
    # stores
    "REDISTIMESTAMP": (["14 Nov 07:01:22.119"], ["Nov 14 07:01:22.119"]),
    "REDISLOG": (["[4018] 14 Nov 07:01:22.119 * "], ["4018 14 Nov 07:01:22.119 * "]),
    "REDISMONLOG": ([REDIS_MONITOR, REDIS_MONITOR.replace(' "*"', "")], [NOT_A_LINE]),
    "MONGO_LOG": ([MONGO], [NOT_A_LINE]),
    "MONGO_QUERY": (["{ age: 3.0 }"], ["age: 3.0"]),
    "MONGO_SLOWQUERY": ([MONGO_SLOW], [MONGO]),
    "MONGO_WORDDASH": (["my-db_1"], ["a.b"]),
    "MONGO3_SEVERITY": (["I", "D2"], ["-", "II"]),
    "MONGO3_COMPONENT": (["NETWORK", "-"], ["a b"]),
    "MONGO3_LOG": ([MONGO_3, MONGO_3.replace(" I ", " I  "), MONGO_3.replace(" I ", " D1 "), MONGO_3.replace("NETWORK ", "-").replace("[initandlisten] ", " ")], [MONGO]),
    "POSTGRESQL": (["12/31/2026 01:02:03 UTC me 10.1-2 4711"], [NOT_A_LINE]),
    "BIND9_TIMESTAMP": (["17-Feb-2018 23:06:56.326"], ["Feb-17-2018 23:06:56.326"]),
    "BIND9": ([BIND, BIND.replace("client ", "client @0x7f6a ")], [NOT_A_LINE]),
    # the same by the Elastic Common Schema, where the lines differ
    "ECS_SYSLOGBASE2": (["Oct 11 22:14:15 mymachine su[230]:", "2003-10-11T22:14:15Z", "Oct 11 22:14:15 su:"], [NOT_A_LINE]),
    "ECS_S3_REQUEST_LINE": (["GET /b?versioning HTTP/1.1"], ["GET"]),
    "ECS_S3_ACCESS_LOG": ([S3, S3 + " host= SigV2 ECDHE AuthHeader b.s3.amazonaws.com TLSV1.1"], [COMMON]),
    "ECS_ELB_URIHOST": (["example.com:80"], ["a b"]),
    "ECS_ELB_URIPATHQUERY": (["/a?b=c"], ["a"]),
    "ECS_ELB_REQUEST_LINE": (["GET http://www.example.com:80/ HTTP/1.1"], ["GET"]),
    "ECS_ELB_V1_HTTP_LOG": ([ELB, ELB + ' "curl/7.38.0" DHE-RSA-AES128-SHA TLSv1.2'], [COMMON]),
    "ECS_HAPROXYURI": (["http://example.com:8080/a?b=c", "/a", "localhost:8080"], ["a b"]),
    "ECS_HAPROXYHTTPREQUESTLINE": (["GET / HTTP/1.1", "<BADREQ>"], ["GET"]),
    "ECS_CATALINA7_DATESTAMP": (["Jan 9, 2014 7:13:13 AM"], ["Jan 9, 2014 7:13:13"]),
    "ECS_CATALINA7_LOG": ([CATALINA], [CATALINA_8]),
    "ECS_CATALINA8_DATESTAMP": (["31-Jul-2020 16:40:38.505"], ["Jul 31, 2020 4:40:38 PM"]),
    "ECS_CATALINA8_LOG": ([CATALINA_8], [CATALINA]),
    "ECS_CATALINA_DATESTAMP": (["31-Jul-2020 16:40:38.505", "Jan 9, 2014 7:13:13 AM"], ["2014-01-09"]),
    "ECS_CATALINALOG": ([CATALINA, CATALINA_8], [TOMCAT]),
    "ECS_TOMCAT50_DATESTAMP": (["2014-01-09 20:03:28,269 -0800", "2014-01-09 20:03:28"], ["2014-01-09"]),
    "ECS_TOMCATLEGACY_LOG": ([TOMCAT], [CATALINA]),
    "ECS_TOMCATLOG": ([CATALINA, CATALINA_8, TOMCAT], [NOT_A_LINE]),
    "ECS_REDISLOG": (["[4018] 14 Nov 07:01:22.119 *"], ["4018 14 Nov 07:01:22.119 *"]),
    "ECS_BIND9_DNSTYPE": (["AAAA", "NSEC3"], ["B", "AAAAA"]),
}  # fmt: skip


def examples(name: str) -> tuple[list[str], list[str]]:
    """Returns the texts that a pattern matches, and texts that it does not match."""
    return EXAMPLES[name] if name in EXAMPLES else EXAMPLES[name.removeprefix("ECS_")]


def without_examples() -> list[str]:
    """Returns the names of the patterns without examples."""
    return [name for name in grok_library() if name not in EXAMPLES and name.removeprefix("ECS_") not in EXAMPLES]
