{# How many times good rows share key and version and differ: of a repeated row nothing is lost. #}
SELECT COUNT(*) AS duplicate_keys
FROM (
  SELECT 1
  FROM (
    SELECT
      {{ shared | map('identifier') | join(', ') }},
      TO_JSON_STRING(STRUCT({{ others | join(', ') }})) AS _others
    FROM {{ checked | identifier }}
    WHERE ARRAY_LENGTH(_reasons) = 0
  )
  GROUP BY {{ shared | map('identifier') | join(', ') }}
  HAVING MIN(_others) != MAX(_others)
)
