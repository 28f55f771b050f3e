"""Who may do what on the server: the services' file to permissions, and permissions to the server's configuration."""
