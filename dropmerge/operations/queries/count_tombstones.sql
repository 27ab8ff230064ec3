{# Old tombstones of a main table. Parameters: feed, before. #}
SELECT COUNT(*) AS n FROM {{ feed.table | identifier }} WHERE {% include 'old_tombstones.sql' %}

