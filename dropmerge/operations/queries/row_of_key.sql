{# The row of a main table that has this key, a tombstone too. Parameters: k0, k1 and so on, of the key's types. #}
SELECT *
FROM {{ feed.table | identifier }}
WHERE {% for name in feed.key %}{{ name | identifier }} = @k{{ loop.index0 }}{{ '' if loop.last else ' AND ' }}{% endfor %}

