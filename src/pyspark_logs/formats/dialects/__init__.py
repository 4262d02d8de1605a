"""Line formats of server configurations: nginx, Apache HTTP Server, Logback and Log4j 2, compiled to templates."""
