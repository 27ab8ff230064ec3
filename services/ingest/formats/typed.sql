{# A file's fields, each as its text, and the types that they had. #}
(
  SELECT
{% for name, text in texts.items() %}
    {{ text }} AS {{ name | identifier }},
{% endfor %}
    {{ kinds | literal }} AS {{ kept }}
  FROM {{ table | identifier }} AS _file
)
