"""Files tried before they are dropped or merged: read and counted by the services' own steps."""
