{# A page of loads with an event in some time, the newest first, and how many there are in all. Parameters: since, those of
   wanted_loads.sql, name (of the object, a part of it; empty for all), before and place (of the last load of the page
   before; all later than `before` are left out), most, tables, gone. #}
SELECT * EXCEPT (total), total
FROM (
  SELECT
    *,
    -- Of loads with events at one time, each has its own place.
    CONCAT(
      COALESCE(stage_location, ''), '/', COALESCE(file_name, ''), '#', COALESCE(CAST(generation AS STRING), ''), ' ',
      COALESCE(load_id, '')
    ) AS place,
    COUNT(*) OVER () AS total
  FROM ({{ loads }})
  WHERE {% include 'wanted_loads.sql' %} AND (@name = '' OR STRPOS(LOWER(file_name), LOWER(@name)) > 0)
)
WHERE last_event_time < @before OR (last_event_time = @before AND place > @place)
ORDER BY last_event_time DESC, place
LIMIT @most
