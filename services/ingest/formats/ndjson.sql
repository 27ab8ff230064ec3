{# The lines of a file, each a JSON object or not, with what the contract asks of it. Numbers are read from the line,
   which has them as they were written; texts from what was parsed of it, where escapes are what they stand for.
   PARSE_JSON keeps the first of two equal names, as JSON_VALUE does
   (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json).
   PARSE_JSON takes a NUL for the end of the text, as nlohmann's parser does: what comes after it would be lost.
   What the contract does not know, at the top and in each object, is `_rest`, `_rest_0` …: of the line as it is exactly.
   Parameters: those of `ndjson.parameters`. #}
{% macro rest(object, paths) %}NULLIF(TO_JSON_STRING(JSON_REMOVE({{ object }}{% for one in paths %}, @{{ one }}{% endfor %})), 'null'){% endmacro %}
{% macro strangers(object, above, known) %}
ARRAY(
          SELECT {{ "CONCAT(@" ~ above ~ ", '.', _name)" if above else '_name' }} FROM UNNEST(JSON_KEYS({{ object }}, 1)) AS _name
          WHERE _name NOT IN ({% for name in known %}@{{ name }}{{ '' if loop.last else ', ' }}{% endfor %})
        )
{%- endmacro %}
(
  SELECT
    *,
    ARRAY(SELECT REGEXP_REPLACE(LOWER(_name), r'[^\pL\pN]', '') FROM UNNEST(_strangers) AS _name) AS _spellings{% if beyond %},
    CONCAT('{', ARRAY_TO_STRING([
      NULLIF(SUBSTR(_rest, 2, CHAR_LENGTH(_rest) - 2), ''){% for n, _ in beyond.objects %},
      CONCAT(@beyond_{{ n }}, NULLIF(_rest_{{ n }}, '{}')){% endfor %}

    ], ','), '}') AS _beyond{% endif %}

  FROM (
    SELECT
      *,
{% for n in range(count) %}
{% if n in inner %}
      JSON_TYPE(JSON_QUERY(_json, @path_{{ n }})) IS NULL AS _is_inner_{{ n }},
      COALESCE(JSON_TYPE(JSON_QUERY(_json, @path_{{ n }})), JSON_TYPE(JSON_QUERY(_json, @inner_{{ n }}))) AS _kind_{{ n }},
{% else %}
      JSON_TYPE(JSON_QUERY(_json, @path_{{ n }})) AS _kind_{{ n }},
{% endif %}
{% endfor %}
{% for object in objects %}
      JSON_TYPE(JSON_QUERY(_json, @object_{{ loop.index0 }})) AS _object_{{ loop.index0 }},
{% endfor %}
{% if beyond %}
      {{ rest('_exact', beyond.top) }} AS _rest,
{% for n, paths in beyond.objects %}
      {{ rest('JSON_QUERY(_exact, @object_%d)' % n, paths) }} AS _rest_{{ n }},
{% endfor %}
{% endif %}
      ARRAY_CONCAT(
        {{ strangers('_json', none, top) }}
{% for children in objects %}
{% if children %}
        , {{ strangers('JSON_QUERY(_json, @object_%d)' % loop.index0, 'above_%d' % loop.index0, children) }}
{% endif %}
{% endfor %}
      ) AS _strangers
    FROM (
      SELECT
        {{ line }},
{% if beyond %}
        IF(JSON_TYPE(_parsed) = 'object', SAFE.PARSE_JSON({{ line }}, wide_number_mode => 'exact'), NULL) AS _exact,
{% endif %}
        IF(JSON_TYPE(_parsed) = 'object', _parsed, NULL) AS _json,
        IF(JSON_TYPE(_parsed) = 'object', NULL, 'not_json') AS _broken
      FROM (
        SELECT {{ line }}, IF({{ cut }}, NULL, SAFE.PARSE_JSON({{ line }}, wide_number_mode => 'round')) AS _parsed
        FROM (
          SELECT
            CONCAT(LTRIM({{ line }}, CHR(65279)), COALESCE(CONCAT(@line_separator, {{ cut }}), '')) AS {{ line }},
            {{ cut }} IS NOT NULL OR REGEXP_CONTAINS({{ line }}, r'\x00') AS {{ cut }}
          FROM {{ table | identifier }}
        )
        WHERE REGEXP_CONTAINS({{ line }}, '[^[:space:]]')
      )
    )
  )
)
