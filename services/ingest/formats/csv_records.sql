{# The records of a file, which a load job has filled up with NULL and cut to one field more than there are columns.
   `_broken`: the reason why a record cannot be read; `_fields`: what it has, then. `last`: the column that each has. #}
(
  SELECT
    *,
    IF(_broken IS NULL, NULL, TO_JSON_STRING([{% for field in fields %}{{ field }}{{ '' if loop.last else ', ' }}{% endfor %}])) AS {{ kept }}
  FROM (
    SELECT
      *{% if first_is_data %} REPLACE (LTRIM({{ columns[0] | identifier }}, CHR(65279)) AS {{ columns[0] | identifier }}){% endif %},
      CASE
{% if rejects_blank %}
        WHEN COALESCE({{ columns[0] | identifier }}, '') = '' AND {{ columns[1] | identifier }} IS NULL THEN 'blank_line'
{% endif %}
        WHEN {{ extra | identifier }} IS NOT NULL{% if end %} OR {{ end | identifier }} != ''{% endif %} THEN 'too_many_fields'
{% if not fills %}
        WHEN {{ last | identifier }} IS NULL THEN 'too_few_fields'
{% endif %}
      END AS _broken
    FROM {{ table | identifier }}
{% if skips_empty %}
    WHERE ARRAY_TO_STRING([{{ columns | map('identifier') | join(', ') }}], '') != ''
{% elif not rejects_blank %}
    WHERE NOT (COALESCE({{ columns[0] | identifier }}, '') = '' AND {{ columns[1] | identifier }} IS NULL)
{% endif %}
  )
)
