{# Rows of about 1 KiB, made of nothing that is billed: keys that come in order, or that do not. #}
CREATE TABLE {{ table | identifier }} CLUSTER BY k AS
SELECT {{ "TO_HEX(SHA256(CAST(n AS STRING)))" if random else "FORMAT('%012d', n)" }} AS k, REPEAT('x', 950) AS v
FROM UNNEST(GENERATE_ARRAY(0, {{ thousands - 1 }})) AS thousand, UNNEST(GENERATE_ARRAY(1000 * thousand, 1000 * thousand + 999)) AS n
