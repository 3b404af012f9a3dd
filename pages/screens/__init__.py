"""One script a screen.

They lie one folder below `pages/`, since Streamlit takes the scripts right in it for
pages of its own and serves those without the dashboard's frame.
"""
