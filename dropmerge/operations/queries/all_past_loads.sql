{# Every load with an event in some time, the oldest first. Parameters: since, those of wanted_loads.sql, tables, gone. #}
SELECT *
FROM ({{ loads }})
WHERE {% include 'wanted_loads.sql' %}
ORDER BY last_event_time, file_name, generation
