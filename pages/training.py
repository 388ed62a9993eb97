"""training."""

import streamlit as st

st.markdown("# training")
