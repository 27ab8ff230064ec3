{# A copy of the rows that were there before the feed, in the contract's types: to make the main table anew begins with it.
   Parameters: adopted. #}
CREATE OR REPLACE TABLE {{ kept | identifier }} AS
SELECT
{% for column in feed.columns %}
  CAST({{ column.name | identifier }} AS {{ column.kind.sql }}) AS {{ column.name | identifier }},
{% endfor %}
  _deleted, _generation, _object, _load_id
FROM {{ feed.table | identifier }}
WHERE _load_id = @adopted
