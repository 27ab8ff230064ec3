{# How the live table's rows differ from those that its files make. A row of a load that the built table has not, one merged
   since or one whose file cannot be read, is none. Nor is a tombstone that was removed for its age.
   Names of steps begin with _, as no column of a contract does. #}
CREATE OR REPLACE TABLE {{ differences | identifier }} AS
WITH
{% include 'merged_loads.sql' %}
,
_live AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY {{ key_columns | map('identifier') | join(', ') }}
      ORDER BY {% for rank in ranking %}{{ rank.of() }} DESC NULLS LAST{{ '' if loop.last else ', ' }}{% endfor %}

    ) AS _copy
  FROM {{ main | identifier }} AS _t
),
_expected AS (
  SELECT *, 1 AS _copy FROM {{ built | identifier }} AS _t
),
_pairs AS (
  SELECT
    CASE
      WHEN _e._copy IS NULL THEN 'extra'
      WHEN _l._copy IS NULL THEN 'missing'
      WHEN _e._deleted AND NOT _l._deleted THEN 'brought_back'
      WHEN _l._deleted AND NOT _e._deleted THEN 'deleted'
      ELSE 'changed'
    END AS what,
    TO_JSON_STRING(STRUCT({% for name in key_columns %}COALESCE(_l.{{ name | identifier }}, _e.{{ name | identifier }}) AS {{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %})) AS key,
    IF(_l._copy IS NULL OR _e._copy IS NULL, NULL, CONCAT('{', ARRAY_TO_STRING([
      CAST(NULL AS STRING)
{% for name, live, expected in columns %}
      , IF({{ live }} IS NOT DISTINCT FROM {{ expected }}, NULL, CONCAT('"{{ name }}": [', COALESCE(TO_JSON_STRING(_l.{{ name | identifier }}), 'null'), ', ', COALESCE(TO_JSON_STRING(_e.{{ name | identifier }}), 'null'), ']'))
{% endfor %}
    ], ', '), '}')) AS columns,
    _l._load_id AS live_load_id,
    COALESCE(_e._load_id, _l._load_id) AS load_id,
    COALESCE(_e._object, _l._object) AS object,
    COALESCE(_e._generation, _l._generation) AS generation,
    _l._copy IS NULL AND _e._deleted AS is_tombstone
  FROM _live AS _l
  FULL OUTER JOIN _expected AS _e
  ON {% for name in key_columns %}_l.{{ name | identifier }} = _e.{{ name | identifier }} AND {% endfor %}_l._copy = _e._copy
  WHERE _l._copy IS NULL OR _e._copy IS NULL
{% for _, live, expected in columns %}
    OR {{ live }} IS DISTINCT FROM {{ expected }}
{% endfor %}
)
SELECT p.what, p.key, p.columns, p.load_id, p.object, p.generation, f.merged_at, m.contract
FROM _pairs AS p
LEFT JOIN _merged AS m ON m.load_id = COALESCE(p.live_load_id, p.load_id)
LEFT JOIN _built AS b ON b.load_id = p.live_load_id
LEFT JOIN _first AS f ON f.load_id = p.load_id
WHERE NOT (p.live_load_id IS NOT NULL AND m.load_id IS NOT NULL AND b.load_id IS NULL)
{% if purged_before %}
  AND NOT (p.is_tombstone AND COALESCE(f.merged_at < TIMESTAMP {{ purged_before | string | literal }}, FALSE))
{% endif %}
