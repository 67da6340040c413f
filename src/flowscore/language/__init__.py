"""The words of the scenario language; knows neither table nor SQL."""
