{# How many rows a table has that was there before the feed, how many of them lack a key or version, and how many keys have
   several rows. #}
SELECT
  COUNT(*) AS row_count,
  COUNTIF({% for name in feed.of_every_row %}{{ name | identifier }} IS NULL{{ '' if loop.last else ' OR ' }}{% else %}FALSE{% endfor %}) AS incomplete,
{% if feed.key %}
  (
    SELECT COUNT(*)
    FROM (
      SELECT {{ feed.key[0] | identifier }}
      FROM {{ feed.table | identifier }}
      GROUP BY {{ feed.key | map('identifier') | join(', ') }}
      HAVING COUNT(*) > 1
    )
  ) AS doubled
{% else %}
  0 AS doubled
{% endif %}
FROM {{ feed.table | identifier }}
