{# The first rows that differ, by their keys. #}
SELECT what, key, columns, load_id, object, generation, merged_at, contract
FROM {{ differences | identifier }}
ORDER BY key, what
LIMIT {{ most }}
