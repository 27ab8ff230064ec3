{# What the statements about tables begin with: two keys. #}
CREATE OR REPLACE TABLE {{ table | identifier }} CLUSTER BY k AS
SELECT k, 'x' AS v FROM UNNEST([1, 2]) AS k
