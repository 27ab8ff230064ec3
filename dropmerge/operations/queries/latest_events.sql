{# Where the journal says that these object generations stand, as last_words.sql. Parameters: since, dispatch_events,
   generations (comma-separated, empty for all). #}
{% set wanted %}(@generations = '' OR CAST(generation AS STRING) IN UNNEST(SPLIT(@generations))){% endset %}
{% include 'last_words.sql' %}
