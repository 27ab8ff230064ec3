{# Which of two rows of a key stays. #}
{% macro wins(rank, one, other) %}{{ rank.of(one) }} > {{ rank.of(other) }} OR ({{ one }}.{{ rank.name | identifier }} IS NOT NULL AND {{ other }}.{{ rank.name | identifier }} IS NULL){% endmacro %}
{# The first step that differs decides. Flat, because a nested condition is refused for a wide contract. #}
{% macro beats(ranking) %}
CASE
{% for rank in ranking %}
  WHEN {{ wins(rank, '_s', '_t') }} THEN TRUE
  WHEN {{ wins(rank, '_t', '_s') }} THEN FALSE
{% endfor %}
  ELSE FALSE
END
{%- endmacro %}
{% macro winner(key, ranking) %}
ROW_NUMBER() OVER (
    PARTITION BY {{ key | map('identifier') | join(', ') }}
    ORDER BY {% for rank in ranking %}{{ rank.of() }} DESC NULLS LAST{{ '' if loop.last else ', ' }}{% endfor %}

  ) = 1
{%- endmacro %}
