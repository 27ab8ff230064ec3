{# One transaction: take the main table's lock, apply every waiting load, write the ledger last.
   Last, because a transaction torn by a crash is then repaired by repeating it.
   Aliases begin with _, as no column of a contract does: a column named as an alias would mean the whole row.
   The winner of a key is the greatest of (version, generation, delete, the other columns in order), NULL smallest;
   of rows equal in all of these, created in one microsecond, the one of the object whose name is greatest. #}
{% macro greater(name, a, b) %}{{ a }}.{{ name | identifier }} > {{ b }}.{{ name | identifier }} OR ({{ a }}.{{ name | identifier }} IS NOT NULL AND {{ b }}.{{ name | identifier }} IS NULL){% endmacro %}
{# The first column that differs decides. Flat, because a nested condition is refused for a wide contract. #}
{% macro beats(names) %}
CASE
{% for name in names %}
  WHEN {{ greater(name, '_s', '_t') }} THEN TRUE
  WHEN {{ greater(name, '_t', '_s') }} THEN FALSE
{% endfor %}
  ELSE FALSE
END
{%- endmacro %}
{% set order = [feed.version, '_generation', '_deleted'] + feed.tie_breakers + ['_object'] %}
{% set names = (feed.columns | map(attribute='name') | list) + ['_deleted', '_generation', '_object', '_load_id'] %}
{% set ids = load_ids | map('literal') | join(', ') %}
BEGIN TRANSACTION;

UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE main = {{ feed.table | literal }};

{# An update of no row locks nothing. #}
SELECT IF(COUNT(*) > 0, NULL, ERROR({{ no_lock | literal }})) FROM {{ lock | identifier }} WHERE main = {{ feed.table | literal }};

MERGE {{ main | identifier }} AS _t
USING (
  SELECT {{ names | map('identifier') | join(', ') }}
  FROM (
{% for table in staging %}
    SELECT {{ names | map('identifier') | join(', ') }} FROM {{ table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
  )
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY {{ feed.key | map('identifier') | join(', ') }}
    ORDER BY {% for name in order %}{{ name | identifier }} DESC NULLS LAST{{ '' if loop.last else ', ' }}{% endfor %}

  ) = 1
) AS _s
ON {% for name in feed.key %}_t.{{ name | identifier }} = _s.{{ name | identifier }}{{ '' if loop.last else ' AND ' }}{% endfor %}

{% for operator, kind, text in bounds %}
  AND _t.{{ feed.key[0] | identifier }} {{ operator }} {{ text | constant(kind) }}
{% endfor %}
WHEN MATCHED AND {{ beats(order) }} THEN UPDATE SET
{% for name in names if name not in feed.key %}
  {{ name | identifier }} = _s.{{ name | identifier }}{{ '' if loop.last else ',' }}
{% endfor %}
WHEN NOT MATCHED THEN
  INSERT ({{ names | map('identifier') | join(', ') }})
  VALUES ({% for name in names %}_s.{{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %});

INSERT INTO {{ ledger | identifier }} (feed, load_id, merged_at, merge_id)
SELECT {{ feed.name | literal }}, load_id, CURRENT_TIMESTAMP(), {{ merge_id | literal }}
FROM UNNEST([{{ ids }}]) AS load_id
WHERE load_id NOT IN (
  SELECT l.load_id FROM {{ ledger | identifier }} AS l WHERE l.feed = {{ feed.name | literal }} AND l.load_id IN ({{ ids }})
);

COMMIT TRANSACTION;
