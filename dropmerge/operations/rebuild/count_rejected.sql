{# How many rows a build has refused. #}
SELECT COUNT(*) AS rejected FROM {{ rejected | identifier }}
