{# How the live table's rows differ from those that its files make, for a feed without a key: of each load's rows that are
   equal in all columns, how many there are. A row of a load that the built table has not, one merged since or one whose
   file cannot be read, is none. Columns that the two do not share are not compared.
   Names of steps begin with _, as no column of a contract does. #}
{% macro bag(table) %}
  SELECT
    _load_id,
    _object,
    _generation,
    _bag,
    ROW_NUMBER() OVER (PARTITION BY _load_id, _bag) AS _copy
  FROM (
    SELECT
      _load_id,
      _object,
      _generation,
      TO_JSON_STRING(STRUCT({% for name, _, _ in columns %}{{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %})) AS _bag
    FROM {{ table | identifier }} AS _t
  )
{%- endmacro %}
CREATE OR REPLACE TABLE {{ differences | identifier }} AS
WITH
{% include 'merged_loads.sql' %}
,
_live AS (
{{ bag(main) }}
),
_expected AS (
{{ bag(built) }}
),
_pairs AS (
  SELECT
    IF(_e._copy IS NULL, 'extra', 'missing') AS what,
    COALESCE(_l._bag, _e._bag) AS key,
    _l._load_id AS live_load_id,
    COALESCE(_e._load_id, _l._load_id) AS load_id,
    COALESCE(_e._object, _l._object) AS object,
    COALESCE(_e._generation, _l._generation) AS generation
  FROM _live AS _l
  FULL OUTER JOIN _expected AS _e
  ON _l._load_id = _e._load_id AND _l._bag = _e._bag AND _l._copy = _e._copy
  WHERE _l._copy IS NULL OR _e._copy IS NULL
)
SELECT p.what, p.key, CAST(NULL AS STRING) AS columns, p.load_id, p.object, p.generation, f.merged_at, m.contract
FROM _pairs AS p
LEFT JOIN _merged AS m ON m.load_id = p.load_id
LEFT JOIN _built AS b ON b.load_id = p.live_load_id
LEFT JOIN _first AS f ON f.load_id = p.load_id
WHERE NOT (p.live_load_id IS NOT NULL AND m.load_id IS NOT NULL AND b.load_id IS NULL)
