"""Files tried before they are dropped, or before a contract is deployed: read and merged by the services' own steps."""
