{# How many rows a load adds to a table in which each row of each file stays. #}
SELECT COUNT(*) AS inserted FROM {{ staged | identifier }}
