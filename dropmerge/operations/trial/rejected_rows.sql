{# The first rejected rows, with how many are alike. Parameter: most. #}
SELECT *, COUNT(*) OVER (PARTITION BY row_text) AS alike
FROM {{ rejected | identifier }}
ORDER BY row_text
LIMIT @most
