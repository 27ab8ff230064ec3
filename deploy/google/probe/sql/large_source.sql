{# The last hundred keys, as of one file. #}
CREATE TABLE {{ table | identifier }} AS
SELECT {{ "TO_HEX(SHA256(CAST(n AS STRING)))" if random else "FORMAT('%012d', n)" }} AS k
FROM UNNEST(GENERATE_ARRAY({{ 1000 * thousands - 100 }}, {{ 1000 * thousands - 1 }})) AS n
