"""A list of patients (to come)."""

from fastapi import APIRouter

router = APIRouter(prefix="/batches", tags=["batches"])
