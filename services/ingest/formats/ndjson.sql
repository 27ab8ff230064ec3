{# The lines of a file, each a JSON object or not, with what the contract asks of it. Numbers are read from the line,
   which has them as they were written; texts from what was parsed of it, where escapes are what they stand for.
   PARSE_JSON keeps the first of two equal names, as JSON_VALUE does
   (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json).
   Parameters: those of `ndjson.parameters`. #}
(
  SELECT
    *,
    ARRAY(SELECT REGEXP_REPLACE(LOWER(_name), r'[^\pL\pN]', '') FROM UNNEST(_strangers) AS _name) AS _spellings
  FROM (
    SELECT
      *,
{% for n in range(count) %}
      JSON_TYPE(JSON_QUERY(_json, @path_{{ n }})) AS _kind_{{ n }},
{% endfor %}
      ARRAY(
        SELECT _name FROM UNNEST(JSON_KEYS(_json, 1)) AS _name
        WHERE _name NOT IN ({% for n in range(count) %}@name_{{ n }}{{ '' if loop.last else ', ' }}{% endfor %})
      ) AS _strangers
    FROM (
      SELECT {{ line }}, IF(JSON_TYPE(_parsed) = 'object', _parsed, NULL) AS _json
      FROM (
        SELECT {{ line }}, SAFE.PARSE_JSON({{ line }}, wide_number_mode => 'round') AS _parsed
        FROM (SELECT LTRIM({{ line }}, CHR(65279)) AS {{ line }} FROM {{ table | identifier }})
        WHERE REGEXP_CONTAINS({{ line }}, '[^[:space:]]')
      )
    )
  )
)
