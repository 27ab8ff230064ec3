{# One transaction: take the main table's lock, apply every waiting load, write the ledger last.
   Last, because a transaction torn by a crash is then repaired by repeating it.
   Aliases begin with _, as no column of a contract does: a column named as an alias would mean the whole row. #}
{% set ids = loads | map(attribute='load_id') | map('literal') | join(', ') %}
{% set columns = names | map('identifier') | join(', ') %}
BEGIN TRANSACTION;

UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE main = {{ feed.table | literal }};

{# An update of no row locks nothing. And whoever makes the table anew, or puts another in its place, takes the lock. #}
SELECT IF(COUNT(*) > 0, NULL, ERROR({{ not_ready | literal }}))
FROM {{ lock | identifier }} AS l
JOIN {{ entries | identifier }} AS e ON e.main_table = l.main
WHERE l.main = {{ feed.table | literal }} AND e.table_id = {{ table_id | literal }} AND e.rebuild IS NULL;

{# Where each version is kept, its table too: a row is newest of its key in the one, and of its key and version in the other. #}
{% for one in written %}
{% set target, key, ranking, others = one.target, one.key, one.ranking, one.others %}
{% include 'strategies/' ~ feed.mode ~ '.sql' %}

{% endfor %}
INSERT INTO {{ ledger | identifier }} (feed, load_id, merged_at, merge_id, table_id, contract{{ ', generation' if feed.mode == 'snapshot' }})
SELECT {{ feed.name | literal }}, load_id, CURRENT_TIMESTAMP(), {{ merge_id | literal }}, {{ table_id | literal }}, {{ feed.fingerprint | literal }}{% if feed.mode == 'snapshot' %}, CASE load_id{% for load in loads %} WHEN {{ load.load_id | literal }} THEN {{ load.generation }}{% endfor %} END{% endif %}

FROM UNNEST([{{ ids }}]) AS load_id
WHERE load_id NOT IN (
  SELECT l.load_id
  FROM {{ ledger | identifier }} AS l
  WHERE l.feed = {{ feed.name | literal }} AND l.table_id = {{ table_id | literal }} AND l.load_id IN ({{ ids }})
);

COMMIT TRANSACTION;
