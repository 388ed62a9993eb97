"""models."""

import streamlit as st

st.markdown("# models")
