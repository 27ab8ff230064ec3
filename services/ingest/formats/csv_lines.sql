{# The lines of a file, split where a delimiter is not escaped. `_broken`: the reason why a line cannot be read, also
   one that has the separator by which lines are loaded: what is after the next one is lost.
   Parameters: those of `csv_escape.patterns`, as csv_NAME, csv_delimiter, csv_separator. #}
(
  SELECT
{% for n in range(columns | length) %}
    {% if quotes %}IF(STARTS_WITH(_field_{{ n }}, '"'), REGEXP_REPLACE(SUBSTR(_field_{{ n }}, 2, LENGTH(_field_{{ n }}) - 2), @csv_quoted, r'\1\2'), {% endif %}REGEXP_REPLACE(_field_{{ n }}, @csv_bare, r'\1'){% if quotes %}){% endif %} AS {{ columns[n] | identifier }},
{% endfor %}
    _broken,
    IF(_broken IS NULL, NULL, _whole) AS {{ line }}
  FROM (
    SELECT
      _whole,
{% for n in range(columns | length) %}
      SUBSTR(_split[SAFE_OFFSET({{ n }})], 1, LENGTH(_split[SAFE_OFFSET({{ n }})]) - 1) AS _field_{{ n }},
{% endfor %}
      CASE
        WHEN _whole = '' THEN 'blank_line'
        WHEN {{ cut }} IS NOT NULL THEN 'not_text'
        WHEN NOT REGEXP_CONTAINS(CONCAT(_whole, @csv_delimiter), @csv_record) THEN 'misquoted'
        WHEN ARRAY_LENGTH(_split) > {{ width }}{% if width > columns | length %} OR _split[SAFE_OFFSET({{ columns | length }})] != @csv_delimiter{% endif %} THEN 'too_many_fields'
{% if not fills %}
        WHEN ARRAY_LENGTH(_split) < {{ width }} THEN 'too_few_fields'
{% endif %}
      END AS _broken
    FROM (
      SELECT *, REGEXP_EXTRACT_ALL(CONCAT(_whole, @csv_delimiter), @csv_field) AS _split
      FROM (
        SELECT
          {{ cut }},
          CONCAT({% if first_is_data %}LTRIM(COALESCE({{ line }}, ''), CHR(65279)){% else %}COALESCE({{ line }}, ''){% endif %}, COALESCE(CONCAT(@csv_separator, {{ cut }}), '')) AS _whole
        FROM {{ table | identifier }}
      )
{% if skips_empty %}
      WHERE REPLACE(_whole, @csv_delimiter, '') != ''
{% elif not rejects_blank %}
      WHERE _whole != ''
{% endif %}
    )
  )
)
