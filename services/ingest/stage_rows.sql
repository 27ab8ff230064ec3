{# The good rows alone. The staging table appears whole, under its final name, in this one statement. #}
CREATE OR REPLACE TABLE {{ staging | identifier }}
OPTIONS (labels = {{ labels | labels }}) AS
SELECT * EXCEPT (_reasons, _row)
FROM {{ checked | identifier }}
WHERE ARRAY_LENGTH(_reasons) = 0
