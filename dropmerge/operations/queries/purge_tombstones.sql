{# Remove old tombstones from a main table. Parameters: feed, before. #}
DELETE FROM {{ feed.table | identifier }} WHERE {% include 'old_tombstones.sql' %}

