"""Line formats as the configuration of a server says them: compiled to templates."""
