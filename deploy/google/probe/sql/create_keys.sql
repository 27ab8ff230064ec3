{# What the statements about tables begin with: two keys, and a number beside each. #}
CREATE OR REPLACE TABLE {{ table | identifier }} CLUSTER BY k AS
SELECT k, 'x' AS v, k AS n FROM UNNEST([1, 2]) AS k
