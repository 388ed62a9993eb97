"""The review page, to be written by PART REVIEW."""

import streamlit as st

st.markdown("# Review")
