{# One transaction: take the feed's lock, apply every waiting load, write the ledger last.
   Last, because a transaction torn by a crash is then repaired by repeating it.
   The winner of a key is the greatest of (version, generation, delete, the other columns in order), NULL smallest;
   of rows equal in all of these, created in one microsecond, the one of the object whose name is greatest. #}
{% macro same(name) %}(s.{{ name | identifier }} = t.{{ name | identifier }} OR (s.{{ name | identifier }} IS NULL AND t.{{ name | identifier }} IS NULL)){% endmacro %}
{% macro beats(names) %}
{% set name = names[0] %}
(s.{{ name | identifier }} > t.{{ name | identifier }} OR (s.{{ name | identifier }} IS NOT NULL AND t.{{ name | identifier }} IS NULL)
{%- if names | length > 1 %} OR ({{ same(name) }} AND {{ beats(names[1:]) }}){% endif %})
{%- endmacro %}
{% set order = [feed.version, '_generation', '_deleted'] + feed.tie_breakers + ['_object'] %}
{% set names = (feed.columns | map(attribute='name') | list) + ['_deleted', '_generation', '_object', '_load_id'] %}
{% set ids = load_ids | map('literal') | join(', ') %}
BEGIN TRANSACTION;

UPDATE {{ locks | identifier }} SET merges = merges + 1 WHERE feed = {{ feed.feed | literal }};

{# An update of no row locks nothing. #}
SELECT IF(COUNT(*) > 0, NULL, ERROR({{ no_lock | literal }})) FROM {{ locks | identifier }} WHERE feed = {{ feed.feed | literal }};

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
    ORDER BY {% for name in order %}{{ name | identifier }} DESC NULLS LAST{{ '' if loop.last else ', ' }}{% endfor %}

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
