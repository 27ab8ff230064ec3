{# No merge into these tables commits after this: each takes the lock, and looks whether its table's entry names a rebuild. #}
BEGIN TRANSACTION;

{% for lock, table in locks %}
UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE main = {{ table | literal }};
{% endfor %}

UPDATE {{ entries | identifier }} SET rebuild = {{ rebuild | literal }} WHERE feed = {{ feed.name | literal }};

COMMIT TRANSACTION;
