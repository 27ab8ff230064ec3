{# Whose credentials a command has. #}
SELECT SESSION_USER() AS account
