SELECT MIN(k) AS low, MAX(k) AS high FROM {{ table | identifier }}
