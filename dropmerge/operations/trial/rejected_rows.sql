{# The first rejected rows. Parameter: most. #}
SELECT *
FROM {{ rejected | identifier }}
ORDER BY row_text
LIMIT @most
