{# One transaction: take the feed's lock, apply every waiting load, write the ledger last.
   Last, because a transaction torn by a crash is then repaired by repeating it.
   The winner of a key is the greatest of (version, generation, delete, the other columns in order), NULL smallest. #}
{% macro greater(one, other, name) %}({{ one }}.{{ name | identifier }} > {{ other }}.{{ name | identifier }} OR ({{ one }}.{{ name | identifier }} IS NOT NULL AND {{ other }}.{{ name | identifier }} IS NULL)){% endmacro %}
{# Flat: nested as deep as a contract has columns, it would be more than a parser takes. #}
{% macro beats(names) %}
CASE
{% for name in names %}
  WHEN {{ greater('s', 't', name) }} THEN TRUE
  WHEN {{ greater('t', 's', name) }} THEN FALSE
{% endfor %}
  ELSE FALSE
END
{%- endmacro %}
{% set order = [feed.version, '_generation', '_deleted'] + feed.tie_breakers %}
{% set names = (feed.columns | map(attribute='name') | list) + ['_deleted', '_generation', '_object', '_load_id'] %}
{% set ids = load_ids | map('literal') | join(', ') %}
BEGIN TRANSACTION;

UPDATE {{ locks | identifier }} SET merges = merges + 1 WHERE feed = {{ feed.feed | literal }};

MERGE {{ main | identifier }} AS t
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
    ORDER BY {% for name in order %}{{ name | identifier }} DESC NULLS LAST{{ ', ' }}{% endfor %}_object DESC
  ) = 1
) AS s
ON {% for name in feed.key %}t.{{ name | identifier }} = s.{{ name | identifier }}{{ '' if loop.last else ' AND ' }}{% endfor %}

WHEN MATCHED AND {{ beats(order) }} THEN UPDATE SET
{% for name in names if name not in feed.key %}
  {{ name | identifier }} = s.{{ name | identifier }}{{ '' if loop.last else ',' }}
{% endfor %}
WHEN NOT MATCHED THEN
  INSERT ({{ names | map('identifier') | join(', ') }})
  VALUES ({% for name in names %}s.{{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %});

INSERT INTO {{ ledger | identifier }} (feed, load_id, merged_at, merge_id)
SELECT {{ feed.feed | literal }}, load_id, CURRENT_TIMESTAMP(), {{ merge_id | literal }}
FROM UNNEST([{{ ids }}]) AS load_id
WHERE load_id NOT IN (
  SELECT l.load_id FROM {{ ledger | identifier }} AS l WHERE l.feed = {{ feed.feed | literal }} AND l.load_id IN ({{ ids }})
);

COMMIT TRANSACTION;
