{# What a feed's merge needs, made when missing. #}
CREATE TABLE IF NOT EXISTS {{ main | identifier }} (
{% for c in feed.columns %}
  {{ c.name | identifier }} {{ c.type }}{{ ' NOT NULL' if c.name in feed.key or c.name == feed.version }},
{% endfor %}
  _deleted BOOL NOT NULL,
  _generation INT64 NOT NULL,
  _object STRING NOT NULL,
  _load_id STRING NOT NULL
) CLUSTER BY {{ cluster | map('identifier') | join(', ') }}
