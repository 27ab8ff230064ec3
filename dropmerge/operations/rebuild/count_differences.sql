{# How many rows differ, how, and by which contract the live ones were read. #}
SELECT what, contract, COUNT(*) AS n FROM {{ differences | identifier }} GROUP BY what, contract ORDER BY what, contract
