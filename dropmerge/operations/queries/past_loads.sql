{# Loads with an event in some time, the newest first, and how many there are. Parameters: since, last, those of
   wanted_loads.sql, most, tables, gone. #}
SELECT *, COUNT(*) OVER () AS total
FROM ({{ loads }})
WHERE {% include 'wanted_loads.sql' %}
ORDER BY last_event_time DESC, file_name, generation
LIMIT @most
