"""samples."""

import streamlit as st

st.markdown("# samples")
