"""overview."""

import streamlit as st

st.markdown("# overview")
